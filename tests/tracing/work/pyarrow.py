# /// script
# dependencies = ["pyarrow"]
# [tool.trace]
# kind = "science"
# ///
"""Write a table and read it."""

import pyarrow
from pyarrow import parquet

parquet.write_table(pyarrow.table({"a": [1, 2]}), "a.parquet")
assert parquet.read_table("a.parquet").num_rows == 2
