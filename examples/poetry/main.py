"""Makes a picture and a smaller one of it."""

from PIL import Image

picture = Image.new("RGB", (640, 480), "navy")
picture.thumbnail((64, 64))
print(picture.size)
