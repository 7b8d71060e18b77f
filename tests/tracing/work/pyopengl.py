# /// script
# dependencies = ["PyOpenGL", "glfw"]
# [tool.trace]
# kind = "opengl"
# ///
"""Draw in a window."""

import glfw
from OpenGL import GL

glfw.init()
glfw.make_context_current(glfw.create_window(64, 64, "a", None, None))
GL.glClearColor(1, 0, 0, 1)
GL.glClear(GL.GL_COLOR_BUFFER_BIT)
assert GL.glGetString(GL.GL_VERSION)
