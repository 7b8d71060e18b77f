"""Prints a mean."""

import numpy as np

print(np.mean([1, 2, 6]))
