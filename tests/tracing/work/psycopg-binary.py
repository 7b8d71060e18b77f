# /// script
# dependencies = ["psycopg[binary]"]
# [tool.trace]
# kind = "databases"
# ///
"""Connect to a server that does not run."""

import psycopg

assert psycopg.pq.__impl__ == "binary"
try:
    psycopg.connect("host=127.0.0.1 connect_timeout=2")
except psycopg.OperationalError as error:
    assert "refused" in str(error)
