# /// script
# dependencies = ["pillow-heif"]
# [tool.trace]
# kind = "images"
# ///
"""Write a HEIF file and read it."""

import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()
Image.new("RGB", (64, 64)).save("a.heic")
assert Image.open("a.heic").size == (64, 64)
