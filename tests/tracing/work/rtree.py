# /// script
# dependencies = ["rtree"]
# [tool.trace]
# kind = "geo"
# ///
"""Index boxes."""

import rtree

index = rtree.index.Index()
index.insert(0, (0, 0, 1, 1))
assert list(index.intersection((0, 0, 2, 2))) == [0]
