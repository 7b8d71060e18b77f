# /// script
# dependencies = ["psycopg"]
# [tool.trace]
# kind = "databases"
# ///
"""Connect to a server that does not run."""

import psycopg

try:
    psycopg.connect("host=127.0.0.1 connect_timeout=2")
except psycopg.OperationalError as error:
    assert "refused" in str(error)
