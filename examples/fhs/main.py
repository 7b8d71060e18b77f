"""Draws a circle, and shows it where there is a display."""

import os

import cv2
import numpy as np

picture = np.zeros((200, 200, 3), dtype=np.uint8)
cv2.circle(picture, (100, 100), 60, (0, 200, 255), thickness=-1)
print("pixels:", int((picture.sum(axis=2) > 0).sum()))
if os.environ.get("DISPLAY"):
    cv2.imshow("circle", picture)
    cv2.waitKey(0)
