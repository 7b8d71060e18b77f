# /// script
# dependencies = ["moderngl"]
# [tool.trace]
# kind = "opengl"
# ///
"""Make an OpenGL context without a window."""

import moderngl

context = moderngl.create_standalone_context()
buffer = context.simple_framebuffer((4, 4))
buffer.use()
buffer.clear(1.0, 0.0, 0.0)
assert buffer.read()[:3] == b"\xff\0\0"
