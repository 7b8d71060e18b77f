# /// script
# dependencies = ["discid"]
# [tool.trace]
# kind = "audio"
# ///
"""Compute the identifier of a disc."""

import discid

assert discid.put(1, 1, 44942, [150]).id
