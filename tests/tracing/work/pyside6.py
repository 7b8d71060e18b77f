# /// script
# dependencies = ["PySide6-Essentials"]
# [tool.trace]
# kind = "window"
# ///
"""Open a window, print a PDF, and look for TLS."""

from PySide6.QtCore import QTimer
from PySide6.QtGui import QPainter, QPdfWriter
from PySide6.QtNetwork import QSslSocket
from PySide6.QtWidgets import QApplication, QPushButton

application = QApplication([])
button = QPushButton("hello")
button.show()
writer = QPdfWriter("a.pdf")
painter = QPainter(writer)
painter.drawText(10, 10, "hello")
painter.end()
QTimer.singleShot(300, application.quit)
assert application.exec() == 0
assert QSslSocket.supportsSsl()
