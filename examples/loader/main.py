"""Prints the singular values of a small matrix."""

import numpy as np

matrix = np.arange(12, dtype=float).reshape(3, 4)
print(np.linalg.svd(matrix, compute_uv=False).round(3))
