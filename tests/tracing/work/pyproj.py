# /// script
# dependencies = ["pyproj"]
# [tool.trace]
# kind = "geo"
# ///
"""Transform coordinates."""

import pyproj

transformer = pyproj.Transformer.from_crs(4326, 3857)
assert transformer.transform(0, 1)[0] > 111000
