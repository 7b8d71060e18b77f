# /// script
# dependencies = ["freetype-py", "matplotlib"]
# [tool.trace]
# kind = "images"
# ///
"""Load a font."""

from pathlib import Path

import freetype

font = next(Path("/app/matplotlib").rglob("DejaVuSans.ttf"))
freetype.Face(str(font)).set_char_size(48 * 64)
