# /// script
# dependencies = ["python-xlib", "pillow"]
# [tool.trace]
# kind = "screen"
# ///
"""Move the pointer, as pyautogui and pynput do."""

from Xlib import display
from Xlib.ext import xtest

screen = display.Display()
xtest.fake_input(screen, 6, x=5, y=5)
screen.sync()
