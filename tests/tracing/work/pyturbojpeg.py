# /// script
# dependencies = ["PyTurboJPEG"]
# [tool.trace]
# kind = "images"
# ///
"""Load the library; Debian 12 has a version that the package does not support."""

from turbojpeg import TurboJPEG

try:
    TurboJPEG()
except RuntimeError as error:
    assert "requires libjpeg-turbo 3.0" in str(error)
