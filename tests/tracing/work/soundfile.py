# /// script
# dependencies = ["soundfile"]
# [tool.trace]
# kind = "audio"
# ///
"""Write a file of sound and read it."""

import numpy
import soundfile

soundfile.write("a.flac", numpy.zeros((100, 2)), 44100)
data, rate = soundfile.read("a.flac")
assert rate == 44100 and data.shape == (100, 2)
