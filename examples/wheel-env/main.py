"""Scales a picture, and prints the size of the result."""

import humanize
import numpy as np
from PIL import Image

picture = np.asarray(Image.linear_gradient("L").resize((64, 64)))
print(picture.shape, humanize.naturalsize(picture.nbytes))
