# /// script
# dependencies = ["vispy", "glfw"]
# [tool.trace]
# kind = "opengl"
# ///
"""Draw on a canvas."""

from vispy import app, gloo

app.use_app("glfw")
canvas = app.Canvas(size=(64, 64), show=True)
canvas.set_current()
gloo.clear("red")
canvas.close()
