# /// script
# dependencies = ["openslide-python"]
# [tool.trace]
# kind = "images"
# ///
"""Ask for the version, and open a file that is no slide."""

import openslide

assert openslide.__library_version__
try:
    openslide.OpenSlide("/app/openslide/__init__.py")
except openslide.OpenSlideError:
    pass
