# /// script
# dependencies = ["vosk"]
# [tool.trace]
# kind = "audio"
# ///
"""Load a model that does not exist."""

import vosk

try:
    vosk.Model("none")
except Exception as error:
    assert "model" in str(error)
