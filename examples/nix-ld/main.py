"""Import every wheel that needs a system library, and say that it works."""

import cv2
import numpy as np
import pandas as pd
import psycopg2
from PIL import Image

picture = np.zeros((8, 8, 3), dtype=np.uint8)
picture[2:6, 2:6] = 255
edges = cv2.Canny(picture, 50, 150)
frame = pd.DataFrame({"edge pixels": [int((edges > 0).sum())], "mean": [float(picture.mean())]})
Image.fromarray(picture).resize((16, 16))
print(frame.to_string(index=False))
print("libpq", psycopg2.__libpq_version__)
