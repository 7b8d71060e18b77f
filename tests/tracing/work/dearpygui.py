# /// script
# dependencies = ["dearpygui"]
# [tool.trace]
# kind = "window"
# ///
"""Open a window with a text."""

import dearpygui.dearpygui as gui

gui.create_context()
gui.create_viewport(title="a", width=100, height=100)
gui.setup_dearpygui()
with gui.window(label="b"):
    gui.add_text("hello")
gui.show_viewport()
for _ in range(3):
    assert gui.is_dearpygui_running()
    gui.render_dearpygui_frame()
gui.destroy_context()
