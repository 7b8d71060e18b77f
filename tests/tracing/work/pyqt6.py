# /// script
# dependencies = ["PyQt6"]
# [tool.trace]
# kind = "window"
# ///
"""Open a window, with an OpenGL widget, and look for TLS."""

from PyQt6.QtCore import QTimer
from PyQt6.QtNetwork import QSslSocket
from PyQt6.QtOpenGLWidgets import QOpenGLWidget
from PyQt6.QtWidgets import QApplication, QPushButton

application = QApplication([])
button = QPushButton("hello")
button.show()
widget = QOpenGLWidget()
widget.show()
QTimer.singleShot(500, application.quit)
assert application.exec() == 0
assert widget.context() is not None
assert QSslSocket.supportsSsl()
