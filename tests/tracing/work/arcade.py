# /// script
# dependencies = ["arcade"]
# [tool.trace]
# kind = "window"
# ///
"""Open a window."""

import arcade

window = arcade.Window(100, 100, "a")
window.clear()
arcade.draw_circle_filled(50, 50, 10, arcade.color.RED)
window.flip()
window.close()
