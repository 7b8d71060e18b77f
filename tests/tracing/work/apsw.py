# /// script
# dependencies = ["apsw"]
# [tool.trace]
# kind = "databases"
# ///
"""Query a file."""

import apsw

assert apsw.Connection("a.db").execute("SELECT 1").fetchall() == [(1,)]
