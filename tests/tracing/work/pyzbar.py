# /// script
# dependencies = ["pyzbar", "pillow", "qrcode"]
# [tool.trace]
# kind = "images"
# ///
"""Read a QR code."""

import qrcode
from pyzbar import pyzbar

image = qrcode.make("hello").get_image()
assert pyzbar.decode(image)[0].data == b"hello"
