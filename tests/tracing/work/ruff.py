# /// script
# dependencies = ["ruff"]
# [tool.trace]
# kind = "tool"
# ///
"""Format a file."""

import subprocess

done = subprocess.run(["ruff", "format", "-"], input="a=1", capture_output=True, text=True)
assert done.stdout == "a = 1\n"
