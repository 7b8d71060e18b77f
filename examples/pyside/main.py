"""A window with a button that counts; with QT_QPA_PLATFORM=offscreen the program presses it itself."""

from itertools import count

from PySide6.QtCore import qVersion
from PySide6.QtWidgets import QApplication, QPushButton

application = QApplication()
presses = count(1)
button = QPushButton("clicks: 0")
button.clicked.connect(lambda: button.setText(f"clicks: {next(presses)}"))
button.resize(320, 120)
button.show()
if application.platformName() == "offscreen":
    button.click()
    button.click()
else:
    application.exec()  # until the window is closed
picture = button.grab()
print(f"Qt {qVersion()} {application.platformName()}, {picture.width()} x {picture.height()}, {button.text()}")
