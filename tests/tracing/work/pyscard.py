# /// script
# dependencies = ["pyscard"]
# [tool.trace]
# kind = "hardware"
# ///
"""List the readers."""

from smartcard.System import readers

try:
    readers()
except Exception as error:
    assert "context" in str(error), error
