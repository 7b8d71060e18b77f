"""Computes the Mandelbrot set in pure Python, and draws it with Pillow."""

import sys
import time
from pathlib import Path

from PIL import Image

WIDTH, HEIGHT, STEPS = 240, 160, 60


def steps(point: complex) -> int:
    """Return the number of steps until a point is known to be outside of the set; STEPS if it is not."""
    z = 0j
    for step in range(STEPS):
        z = z * z + point
        if z.real * z.real + z.imag * z.imag > 4:
            return step
    return STEPS


def mandelbrot() -> list[int]:
    """Return the steps of every pixel, row by row."""
    return [
        steps(complex(3 * x / WIDTH - 2.25, 2 * y / HEIGHT - 1 + 1 / HEIGHT))
        for y in range(HEIGHT)
        for x in range(WIDTH)
    ]


if __name__ == "__main__":
    start = time.perf_counter()
    pixels = mandelbrot()
    seconds = time.perf_counter() - start
    picture = Image.new("L", (WIDTH, HEIGHT))
    picture.putdata([255 - 255 * pixel // STEPS for pixel in pixels])
    print(f"{picture.size} with {pixels.count(STEPS)} points inside, in {seconds:.2f} s")
    for name in sys.argv[1:]:
        picture.save(Path(name))
