# /// script
# dependencies = ["opuslib"]
# [tool.trace]
# kind = "audio"
# builds = true
# ///
"""Encode a frame of sound."""

import opuslib

encoder = opuslib.Encoder(48000, 1, opuslib.APPLICATION_AUDIO)
assert encoder.encode(bytes(960 * 2), 960)
