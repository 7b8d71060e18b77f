# /// script
# dependencies = ["shapely"]
# [tool.trace]
# kind = "geo"
# ///
"""Compute an area."""

import shapely

assert shapely.Point(0, 0).buffer(1).union(shapely.box(0, 0, 2, 2)).area > 4
