# /// script
# dependencies = ["miniaudio"]
# [tool.trace]
# kind = "audio"
# ///
"""List the devices."""

import miniaudio

miniaudio.Devices().get_playbacks()
