# /// script
# dependencies = ["numpy"]
# [tool.trace]
# kind = "science"
# ///
"""Multiply matrices."""

import numpy

assert numpy.linalg.det(numpy.eye(50) @ numpy.eye(50)) == 1
numpy.fft.fft(numpy.random.default_rng(0).normal(size=64))
