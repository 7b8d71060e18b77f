# /// script
# dependencies = ["soundcard"]
# [tool.trace]
# kind = "audio"
# ///
"""List the speakers, and play a tone."""

import numpy
import soundcard

speaker = soundcard.default_speaker()
speaker.play(numpy.sin(numpy.arange(4800) / 10), samplerate=48000)
