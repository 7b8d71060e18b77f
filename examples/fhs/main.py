"""Finds the discs in a picture, and shows them if there is a display."""

import os

import cv2
import numpy as np

DISCS = [(60, 60, 30), (150, 90, 20), (90, 160, 25)]  # x, y and radius


def drawn() -> np.ndarray:
    """Return a picture of the discs."""
    picture = np.zeros((200, 200, 3), dtype=np.uint8)
    for x, y, radius in DISCS:
        cv2.circle(picture, (x, y), radius, (0, 200, 255), thickness=-1)
    return picture


def discs(picture: np.ndarray) -> list[tuple[int, int, int]]:
    """Return the centre and the radius of each disc, the largest first."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    outlines, _ = cv2.findContours(grey, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    circles = [cv2.minEnclosingCircle(outline) for outline in outlines]
    return sorted(((round(x), round(y), round(radius)) for (x, y), radius in circles), key=lambda disc: -disc[2])


if __name__ == "__main__":
    picture = drawn()
    for x, y, radius in discs(picture):
        print(f"disc at {x}, {y} of radius {radius}")
        cv2.circle(picture, (x, y), radius + 3, (255, 255, 255))
    if os.environ.get("DISPLAY"):
        cv2.imshow("discs", picture)
        cv2.waitKey(0)
