# /// script
# dependencies = ["Wand"]
# [tool.trace]
# kind = "images"
# reason = "Debian 12 has ImageMagick 6, and nixpkgs has ImageMagick 7"
# ///
"""Resize an image."""

from wand.color import Color
from wand.image import Image

with Image(width=16, height=16, background=Color("red")) as image:
    image.resize(8, 8)
    assert image.make_blob("png").startswith(b"\x89PNG")
