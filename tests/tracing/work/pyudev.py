# /// script
# dependencies = ["pyudev"]
# [tool.trace]
# kind = "hardware"
# ///
"""List the devices."""

import pyudev

list(pyudev.Context().list_devices(subsystem="block"))
