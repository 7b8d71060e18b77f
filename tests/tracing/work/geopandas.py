# /// script
# dependencies = ["geopandas"]
# [tool.trace]
# kind = "geo"
# ///
"""Write a table of geometries and read it."""

import geopandas
import shapely

frame = geopandas.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(1, 2)], crs=4326)
frame.to_file("a.gpkg")
assert len(geopandas.read_file("a.gpkg").to_crs(3857)) == 1
