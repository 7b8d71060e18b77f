# /// script
# dependencies = ["opencv-python"]
# [tool.trace]
# kind = "window"
# ///
"""Encode an image and open a window."""

import cv2
import numpy

image = numpy.zeros((16, 16, 3), dtype=numpy.uint8)
done, data = cv2.imencode(".png", image)
assert done
cv2.imshow("a", image)
cv2.waitKey(100)
cv2.destroyAllWindows()
