# /// script
# dependencies = ["pyvips"]
# [tool.trace]
# kind = "images"
# ///
"""Write an image."""

import pyvips

pyvips.Image.black(16, 16).write_to_file("a.png")
assert pyvips.Image.new_from_file("a.png").width == 16
