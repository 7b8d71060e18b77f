"""Lists the database drivers of this machine; pyodbc's wheel links to libodbc.so.2 of the system."""

import numpy as np
import pyodbc


def main() -> None:
    """Print the number of drivers, and the length of the longest name."""
    names = pyodbc.drivers()
    widths = np.array([len(name) for name in names] or [0])
    print(f"{len(names)} drivers, the longest name has {widths.max()} letters")
