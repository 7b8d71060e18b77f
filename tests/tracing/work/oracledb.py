# /// script
# dependencies = ["oracledb"]
# [tool.trace]
# kind = "databases"
# ///
"""Connect to a server that does not run."""

import oracledb

try:
    oracledb.connect(user="a", password="b", dsn="127.0.0.1/c")
except oracledb.OperationalError as error:
    assert "refused" in str(error)
