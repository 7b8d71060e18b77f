# /// script
# dependencies = ["scikit-learn"]
# [tool.trace]
# kind = "science"
# ///
"""Fit a model."""

import numpy
from sklearn.ensemble import RandomForestClassifier

model = RandomForestClassifier(10, n_jobs=2).fit(numpy.arange(20).reshape(-1, 1), [0] * 10 + [1] * 10)
assert model.predict([[19]]) == [1]
