# /// script
# dependencies = ["pulsectl"]
# [tool.trace]
# kind = "audio"
# ///
"""List the speakers."""

import pulsectl

with pulsectl.Pulse("a") as pulse:
    assert pulse.sink_list()
