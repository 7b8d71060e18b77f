# /// script
# dependencies = ["lmdb"]
# [tool.trace]
# kind = "databases"
# ///
"""Write a key and read it."""

import lmdb

with lmdb.open("a") as environment:
    with environment.begin(write=True) as transaction:
        transaction.put(b"a", b"b")
    with environment.begin() as transaction:
        assert transaction.get(b"a") == b"b"
