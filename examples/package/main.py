"""Smooths measurements by the mean of their neighbours, and prints the lengths of their rises."""

import numpy as np
from toolz import partitionby, sliding_window

MEASURED = [3, 4, 9, 5, 6, 7, 12, 8, 6, 4, 2, 3]


def smooth(values: list[float], width: int = 3) -> list[float]:
    """Return the mean of each window of neighbours."""
    return [float(np.mean(window)) for window in sliding_window(width, values)]


def rises(values: list[float]) -> list[int]:
    """Return the length of each rise in steps, in order."""
    steps = [after > before for before, after in sliding_window(2, values)]
    return [len(run) for run in partitionby(bool, steps) if run[0]]


if __name__ == "__main__":
    smoothed = smooth(MEASURED)
    print(" ".join(f"{value:.1f}" for value in smoothed))
    print("rises:", rises(smoothed))
