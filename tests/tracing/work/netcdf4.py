# /// script
# dependencies = ["netCDF4"]
# [tool.trace]
# kind = "geo"
# ///
"""Write a data set and read it."""

import netCDF4

with netCDF4.Dataset("a.nc", "w") as data:
    data.createDimension("x", 3)
    data.createVariable("v", "f8", ("x",), compression="zlib")[:] = [1, 2, 3]
with netCDF4.Dataset("a.nc") as data:
    assert data["v"][:].sum() == 6
