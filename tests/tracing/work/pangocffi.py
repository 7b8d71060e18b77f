# /// script
# dependencies = ["pangocffi", "pangocairocffi"]
# [tool.trace]
# kind = "text"
# builds = true
# ///
"""Lay out a text and draw it."""

import cairocffi
import pangocairocffi
import pangocffi

surface = cairocffi.PDFSurface("a.pdf", 100, 100)
context = cairocffi.Context(surface)
layout = pangocairocffi.create_layout(context)
layout.apply_markup("<b>hello</b>")
pangocairocffi.show_layout(context, layout)
surface.finish()
