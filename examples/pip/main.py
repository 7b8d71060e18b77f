"""Prints the colours of a picture with their shares; without a name, it draws a picture itself."""

import sys

from PIL import Image, ImageDraw


def drawn() -> Image.Image:
    """Return a picture of the sun over the sea."""
    picture = Image.new("RGB", (100, 100), "#87ceeb")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 60, 99, 99), fill="#003366")
    pen.rectangle((40, 10, 59, 29), fill="#ffd700")
    return picture


def colours(picture: Image.Image, most: int = 4) -> list[tuple[str, float]]:
    """Return at most this many colours, as in a style sheet, with their shares of the picture."""
    few = picture.convert("RGB").quantize(most).convert("RGB")
    counted = few.getcolors() or []
    pixels = few.width * few.height
    return [("#{:02x}{:02x}{:02x}".format(*colour), count / pixels) for count, colour in sorted(counted)[::-1]]


if __name__ == "__main__":
    picture = Image.open(sys.argv[1]) if sys.argv[1:] else drawn()
    for name, share in colours(picture):
        print(f"{name} {share:4.0%}")
