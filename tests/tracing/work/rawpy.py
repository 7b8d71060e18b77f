# /// script
# dependencies = ["rawpy"]
# [tool.trace]
# kind = "images"
# ///
"""Open a file that is no photograph."""

import rawpy

try:
    rawpy.imread("/app/rawpy/__init__.py")
except rawpy.LibRawError:
    pass
