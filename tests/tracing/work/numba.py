# /// script
# dependencies = ["numba"]
# [tool.trace]
# kind = "science"
# ///
"""Compile functions, one of them parallel."""

import numba
import numpy


@numba.njit
def add(a, b):
    return a + b


@numba.njit(parallel=True)
def total(values):
    result = 0.0
    for i in numba.prange(len(values)):
        result += values[i]
    return result


assert add(1, 2) == 3
assert total(numpy.ones(1000)) == 1000
