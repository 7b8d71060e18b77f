# /// script
# dependencies = ["xcffib"]
# [tool.trace]
# kind = "screen"
# builds = true
# ///
"""Ask the X server for its extensions."""

import xcffib
import xcffib.xproto

connection = xcffib.connect()
assert connection.get_setup().roots[0].width_in_pixels == 1024
