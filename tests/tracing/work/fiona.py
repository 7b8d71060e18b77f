# /// script
# dependencies = ["fiona"]
# [tool.trace]
# kind = "geo"
# ///
"""Write features and read them."""

import fiona

schema = {"geometry": "Point", "properties": {"a": "int"}}
with fiona.open("a.gpkg", "w", driver="GPKG", crs="EPSG:4326", schema=schema) as file:
    file.write({"geometry": {"type": "Point", "coordinates": (1, 2)}, "properties": {"a": 1}})
with fiona.open("a.gpkg") as file:
    assert len(file) == 1
