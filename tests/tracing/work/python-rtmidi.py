# /// script
# dependencies = ["python-rtmidi"]
# [tool.trace]
# kind = "audio"
# ///
"""List the ports."""

import rtmidi

try:
    rtmidi.MidiOut().get_ports()
except rtmidi.SystemError as error:
    assert "ALSA" in str(error)
