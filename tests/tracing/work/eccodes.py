# /// script
# dependencies = ["eccodes"]
# [tool.trace]
# kind = "geo"
# ///
"""Make a GRIB message."""

import eccodes

handle = eccodes.codes_grib_new_from_samples("GRIB2")
assert eccodes.codes_get(handle, "edition") == 2
