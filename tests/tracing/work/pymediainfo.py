# /// script
# dependencies = ["pymediainfo"]
# [tool.trace]
# kind = "video"
# ///
"""Describe a file."""

from pymediainfo import MediaInfo

assert MediaInfo.parse("/app/pymediainfo/__init__.py").tracks
