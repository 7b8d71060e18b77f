# /// script
# dependencies = ["skia-python"]
# [tool.trace]
# kind = "images"
# ///
"""Draw a picture."""

import skia

surface = skia.Surface(16, 16)
surface.getCanvas().drawCircle(8, 8, 4, skia.Paint())
surface.makeImageSnapshot().save("a.png")
