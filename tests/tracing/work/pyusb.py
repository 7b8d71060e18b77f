# /// script
# dependencies = ["pyusb"]
# [tool.trace]
# kind = "hardware"
# ///
"""List the devices."""

import usb.core

list(usb.core.find(find_all=True))
