# /// script
# dependencies = ["pillow"]
# [tool.trace]
# kind = "images"
# ///
"""Encode an image with a text."""

from PIL import Image, ImageDraw, ImageFont, features

image = Image.new("RGB", (64, 64))
ImageDraw.Draw(image).text((1, 1), "hello", font=ImageFont.load_default(12))
for kind in ("png", "jpeg", "webp", "tiff", "avif", "jpeg2000"):
    if kind != "avif" or features.check("avif"):
        image.save(f"a.{kind}", format=kind)
