# /// script
# dependencies = ["cairosvg"]
# [tool.trace]
# kind = "images"
# ///
"""Turn an SVG into a PNG."""

import cairosvg

data = cairosvg.svg2png('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>a</text></svg>')
assert data.startswith(b"\x89PNG")
