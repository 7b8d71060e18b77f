# /// script
# dependencies = ["tesserocr"]
# [tool.trace]
# kind = "images"
# ///
"""Ask for the version."""

import tesserocr

assert "tesseract" in tesserocr.tesseract_version()
