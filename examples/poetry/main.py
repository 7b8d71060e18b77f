"""Hides a text in the lowest bits of a picture, and reads it back."""

from io import BytesIO

from PIL import Image


def hide(text: str, picture: Image.Image) -> Image.Image:
    """Return the picture with the text in it; a difference of one in 255 is not visible."""
    data = text.encode() + b"\0"
    bits = [byte >> place & 1 for byte in data for place in range(8)]
    pixels = bytearray(picture.convert("L").tobytes())
    if len(bits) > len(pixels):
        raise ValueError("the picture is too small for the text")
    for at, bit in enumerate(bits):
        pixels[at] = pixels[at] & ~1 | bit
    return Image.frombytes("L", picture.size, bytes(pixels))


def read(picture: Image.Image) -> str:
    """Return the text that is hidden in a picture."""
    pixels = picture.tobytes()
    data = bytearray()
    for start in range(0, len(pixels), 8):
        byte = sum((pixel & 1) << place for place, pixel in enumerate(pixels[start : start + 8]))
        if byte == 0:
            break
        data.append(byte)
    return data.decode()


if __name__ == "__main__":
    file = BytesIO()
    hide("grüße from a poem", Image.linear_gradient("L")).save(file, "PNG")
    picture = Image.open(file)
    print(picture.format, picture.size, read(picture))
