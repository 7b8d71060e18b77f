# /// script
# dependencies = ["mss"]
# [tool.trace]
# kind = "screen"
# ///
"""Take a picture of the screen."""

import mss

with mss.MSS() as screen:
    picture = screen.grab(screen.monitors[0])
assert picture.size == (1024, 768)
