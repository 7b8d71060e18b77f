# /// script
# dependencies = ["hidapi"]
# [tool.trace]
# kind = "hardware"
# ///
"""List the devices."""

import hid

hid.enumerate()
