# /// script
# dependencies = ["PyWavelets"]
# [tool.trace]
# kind = "science"
# ///
"""Transform a signal."""

import pywt

pywt.dwt([1, 2, 3, 4], "db1")
