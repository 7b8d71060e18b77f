# /// script
# dependencies = ["psycopg2-binary"]
# [tool.trace]
# kind = "databases"
# ///
"""Connect to a server that does not run."""

import psycopg2

try:
    psycopg2.connect("host=127.0.0.1 connect_timeout=2")
except psycopg2.OperationalError as error:
    assert "refused" in str(error)
