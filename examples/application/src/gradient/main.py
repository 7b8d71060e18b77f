"""Draws a gradient into the file that is named."""

import sys

import numpy as np
from PIL import Image


def main() -> None:
    """Write the picture and say where it is."""
    path = sys.argv[1] if len(sys.argv) > 1 else "gradient.png"
    row = np.linspace(0, 255, 64, dtype=np.uint8)
    Image.fromarray(np.tile(row, (64, 1))).save(path)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
