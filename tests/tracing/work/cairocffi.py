# /// script
# dependencies = ["cairocffi"]
# [tool.trace]
# kind = "images"
# ///
"""Draw a text."""

import cairocffi

surface = cairocffi.ImageSurface(cairocffi.FORMAT_ARGB32, 16, 16)
context = cairocffi.Context(surface)
context.show_text("hello")
surface.write_to_png("a.png")
