# /// script
# dependencies = ["pyodbc"]
# [tool.trace]
# kind = "databases"
# ///
"""List the drivers, and connect by one that is not installed."""

import pyodbc

pyodbc.drivers()
try:
    pyodbc.connect("DRIVER=none;SERVER=a")
except pyodbc.Error as error:
    assert "IM002" in str(error) or "01000" in str(error)
