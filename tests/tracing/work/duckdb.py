# /// script
# dependencies = ["duckdb"]
# [tool.trace]
# kind = "databases"
# ///
"""Query a file."""

import duckdb

duckdb.sql("COPY (SELECT 1 AS a UNION SELECT 2) TO 'a.parquet'")
assert duckdb.sql("SELECT sum(a) FROM 'a.parquet'").fetchall() == [(3,)]
