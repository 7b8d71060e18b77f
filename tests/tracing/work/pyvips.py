# /// script
# dependencies = ["pyvips>=3"]
# [tool.trace]
# kind = "images"
# builds = true
# ///
"""Write an image."""

import pyvips

pyvips.Image.black(16, 16).write_to_file("a.png")
assert pyvips.Image.new_from_file("a.png").width == 16
