# /// script
# dependencies = ["pylibdmtx", "pillow", "setuptools<81"]
# [tool.trace]
# kind = "images"
# ///
"""Write a data matrix and read it."""

import setuptools  # has distutils
from PIL import Image
from pylibdmtx import pylibdmtx

code = pylibdmtx.encode(b"hello")
image = Image.frombytes("RGB", (code.width, code.height), code.pixels)
assert pylibdmtx.decode(image)[0].data == b"hello"
