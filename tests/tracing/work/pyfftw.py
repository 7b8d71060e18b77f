# /// script
# dependencies = ["pyFFTW"]
# [tool.trace]
# kind = "science"
# ///
"""Transform a signal."""

import numpy
import pyfftw

pyfftw.interfaces.numpy_fft.fft(numpy.ones(8))
