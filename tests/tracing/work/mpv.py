# /// script
# dependencies = ["mpv"]
# [tool.trace]
# kind = "audio"
# ///
"""Make a player."""

import mpv

player = mpv.MPV(vo="null", ao="null")
assert player.mpv_version
player.terminate()
