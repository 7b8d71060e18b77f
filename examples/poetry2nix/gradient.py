"""Draws a gradient."""

from PIL import Image


def main() -> None:
    """Print the size of the picture."""
    print(Image.linear_gradient("L").resize((64, 48)).size)
