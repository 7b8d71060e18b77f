# /// script
# dependencies = ["scipy"]
# [tool.trace]
# kind = "science"
# ///
"""Solve equations."""

import numpy
from scipy import linalg, optimize, sparse

assert linalg.inv(numpy.eye(3)).sum() == 3
assert abs(optimize.brentq(lambda x: x * x - 2, 0, 2) - 2**0.5) < 1e-9
sparse.linalg.spsolve(sparse.eye(3).tocsc(), numpy.ones(3))
