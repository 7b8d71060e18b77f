"""Sums windows of a sequence."""

import numpy as np
from toolz import sliding_window

print([int(np.sum(window)) for window in sliding_window(2, range(5))])
