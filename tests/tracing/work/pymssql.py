# /// script
# dependencies = ["pymssql"]
# [tool.trace]
# kind = "databases"
# ///
"""Connect to a server that does not run."""

import pymssql

try:
    pymssql.connect("127.0.0.1", "a", "b", login_timeout=2)
except pymssql.Error:
    pass
