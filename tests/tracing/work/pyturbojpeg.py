# /// script
# dependencies = ["PyTurboJPEG"]
# [tool.trace]
# kind = "images"
# ///
"""Encode an image."""

import numpy
from turbojpeg import TurboJPEG

jpeg = TurboJPEG()
data = jpeg.encode(numpy.zeros((16, 16, 3), dtype=numpy.uint8))
assert jpeg.decode(data).shape == (16, 16, 3)
