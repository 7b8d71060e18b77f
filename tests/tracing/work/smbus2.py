# /// script
# dependencies = ["smbus2"]
# [tool.trace]
# kind = "hardware"
# ///
"""Open a bus that does not exist."""

import smbus2

try:
    smbus2.SMBus(99)
except FileNotFoundError:
    pass
