# /// script
# dependencies = ["pyserial"]
# [tool.trace]
# kind = "hardware"
# ///
"""List the ports."""

from serial.tools import list_ports

list_ports.comports()
