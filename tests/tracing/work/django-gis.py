# /// script
# dependencies = ["django"]
# [tool.trace]
# kind = "geo"
# ///
"""Use the geographic fields of Django."""

import django
from django.conf import settings

settings.configure(INSTALLED_APPS=["django.contrib.gis"])
django.setup()
from django.contrib.gis.gdal import SpatialReference
from django.contrib.gis.geos import Point

assert Point(1, 2).x == 1
assert SpatialReference(4326).srid == 4326
