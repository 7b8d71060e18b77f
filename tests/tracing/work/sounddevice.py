# /// script
# dependencies = ["sounddevice", "numpy"]
# [tool.trace]
# kind = "audio"
# ///
"""List the devices of sound."""

import sounddevice

sounddevice.query_devices()
assert sounddevice.get_portaudio_version()[0] > 0
