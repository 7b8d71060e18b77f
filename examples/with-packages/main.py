"""Draws sums of neighbours in a sequence."""

import asciichartpy
import numpy as np
from toolz import sliding_window

sums = [int(np.sum(window)) for window in sliding_window(2, range(5))]
print(asciichartpy.plot(sums, {"height": 3, "format": "{:2.0f}"}))
