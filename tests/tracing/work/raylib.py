# /// script
# dependencies = ["raylib"]
# [tool.trace]
# kind = "window"
# ///
"""Open a window and draw a text, with sound."""

import pyray

pyray.init_window(100, 100, "a")
assert pyray.is_window_ready()
pyray.init_audio_device()
pyray.begin_drawing()
pyray.draw_text("hello", 1, 1, 10, pyray.RED)
pyray.end_drawing()
pyray.close_window()
