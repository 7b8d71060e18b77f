"""Draws a gradient into a file."""

import sys

import numpy as np
from PIL import Image


def main() -> None:
    """Write the picture and print its path."""
    path = sys.argv[1] if len(sys.argv) > 1 else "gradient.png"
    row = np.linspace(0, 255, 64, dtype=np.uint8)
    Image.fromarray(np.tile(row, (64, 1))).save(path)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
