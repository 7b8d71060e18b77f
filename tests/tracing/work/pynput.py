# /// script
# dependencies = ["pynput"]
# [tool.trace]
# kind = "desktop"
# builds = true
# reason = "evdev has no wheel: its extension is compiled"
# ///
"""Press a key."""

from pynput.keyboard import Controller

Controller().tap("a")
