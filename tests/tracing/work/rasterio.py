# /// script
# dependencies = ["rasterio"]
# [tool.trace]
# kind = "geo"
# ///
"""Write a raster and read it."""

import numpy
import rasterio

options = {"driver": "GTiff", "width": 4, "height": 4, "count": 1, "dtype": "uint8", "crs": "EPSG:4326"}
with rasterio.open("a.tif", "w", transform=rasterio.transform.from_origin(0, 0, 1, 1), **options) as file:
    file.write(numpy.ones((1, 4, 4), dtype="uint8"))
with rasterio.open("a.tif") as file:
    assert file.read().sum() == 16
