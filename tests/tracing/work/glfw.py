# /// script
# dependencies = ["glfw"]
# [tool.trace]
# kind = "window"
# ///
"""Open a window with an OpenGL context."""

import glfw

assert glfw.init(), glfw.get_error()
window = glfw.create_window(64, 64, "a", None, None)
assert window, glfw.get_error()
glfw.make_context_current(window)
glfw.swap_buffers(window)
glfw.poll_events()
glfw.terminate()
