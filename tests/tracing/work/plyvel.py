# /// script
# dependencies = ["plyvel"]
# [tool.trace]
# kind = "databases"
# ///
"""Write a key and read it."""

import plyvel

database = plyvel.DB("a", create_if_missing=True)
database.put(b"a", b"b")
assert database.get(b"a") == b"b"
