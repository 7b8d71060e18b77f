# /// script
# dependencies = ["libusb1"]
# [tool.trace]
# kind = "hardware"
# ///
"""List the devices."""

import usb1

with usb1.USBContext() as context:
    context.getDeviceList()
