"""Lists the database drivers of this machine; pyodbc's wheel leaves libodbc.so.2 to the system."""

import numpy as np
import pyodbc


def main() -> None:
    """Print how many there are, and the longest name."""
    names = pyodbc.drivers()
    widths = np.array([len(name) for name in names] or [0])
    print(f"{len(names)} drivers, the longest name has {widths.max()} letters")
