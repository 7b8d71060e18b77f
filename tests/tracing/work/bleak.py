# /// script
# dependencies = ["bleak"]
# [tool.trace]
# kind = "hardware"
# ///
"""Look for a bluetooth daemon that does not run."""

import asyncio

import bleak
from bleak.exc import BleakError

try:
    asyncio.run(bleak.BleakScanner.discover(0.1))
except (BleakError, OSError):
    pass
