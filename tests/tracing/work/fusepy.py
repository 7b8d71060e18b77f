# /// script
# dependencies = ["fusepy"]
# [tool.trace]
# kind = "files"
# builds = true
# ///
"""Load the library of FUSE."""

import fuse

assert fuse.fuse_get_context
