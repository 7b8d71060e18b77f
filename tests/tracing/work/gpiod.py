# /// script
# dependencies = ["gpiod"]
# [tool.trace]
# kind = "hardware"
# ///
"""Look for a chip that does not exist."""

import gpiod

assert not gpiod.is_gpiochip_device("/dev/null")
