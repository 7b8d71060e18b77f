"""Writes a PNG thumbnail next to each named picture; without a name, it draws a picture itself."""

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw

WIDEST = (64, 64)


def drawn() -> bytes:
    """Return a picture of a house, as a JPEG file."""
    picture = Image.new("RGB", (640, 480), "skyblue")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((200, 240, 440, 480), fill="sienna")
    pen.polygon([(180, 240), (320, 120), (460, 240)], fill="firebrick")
    file = BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


def thumbnail(data: bytes) -> bytes:
    """Return a small picture, as a PNG file."""
    with Image.open(BytesIO(data)) as picture:
        picture.thumbnail(WIDEST)
        file = BytesIO()
        picture.save(file, "PNG")
        return file.getvalue()


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).with_suffix(".thumbnail.png").write_bytes(thumbnail(Path(name).read_bytes()))
    if not sys.argv[1:]:
        for data in (drawn(), thumbnail(drawn())):
            picture = Image.open(BytesIO(data))
            print(picture.format, picture.size)
