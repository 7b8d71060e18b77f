"""Opens a window for a second if there is a display."""

import os

import cv2
import numpy as np

print(next(line for line in cv2.getBuildInformation().splitlines() if "GUI" in line).split())
if os.environ.get("DISPLAY"):
    cv2.imshow("window", np.zeros((100, 100), dtype=np.uint8))
    cv2.waitKey(1000)
