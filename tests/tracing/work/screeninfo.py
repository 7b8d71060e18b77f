# /// script
# dependencies = ["screeninfo"]
# [tool.trace]
# kind = "screen"
# ///
"""List the monitors."""

from screeninfo import get_monitors

assert get_monitors()[0].width == 1024
