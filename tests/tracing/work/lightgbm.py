# /// script
# dependencies = ["lightgbm"]
# [tool.trace]
# kind = "science"
# ///
"""Fit a model."""

import lightgbm
import numpy

data = lightgbm.Dataset(numpy.random.default_rng(0).normal(size=(100, 3)), numpy.arange(100) % 2)
lightgbm.train({"objective": "binary", "verbose": -1}, data, 5)
