# /// script
# dependencies = ["pylibdmtx", "pillow"]
# [tool.trace]
# kind = "images"
# ///
"""Write a data matrix and read it."""

from PIL import Image
from pylibdmtx import pylibdmtx

code = pylibdmtx.encode(b"hello")
image = Image.frombytes("RGB", (code.width, code.height), code.pixels)
assert pylibdmtx.decode(image)[0].data == b"hello"
