"""Finds a root."""

from scipy.optimize import brentq

print(round(brentq(lambda x: x**3 - 2, 0, 2), 4))
