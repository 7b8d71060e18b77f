"""Measures pictures, stores the numbers in a database, and pastes the pictures on one sheet, most edges first.

The database is SQLite's, in memory; with PGDATABASE in the environment it is PostgreSQL's.
"""

import os
import sqlite3

import numpy as np
import pandas as pd
import psycopg2
from PIL import Image, ImageDraw
from scipy import ndimage

SIZE = 64
INSERT = "insert into measured values (?, ?, ?)"


def pictures() -> dict[str, Image.Image]:
    """Return some pictures by name."""
    disc = Image.new("L", (SIZE, SIZE))
    ImageDraw.Draw(disc).ellipse((8, 8, 56, 56), fill=255)
    checks = np.indices((SIZE, SIZE)).sum(axis=0) // 8 % 2 * 255
    return {
        "checks": Image.fromarray(checks.astype(np.uint8)),
        "disc": disc,
        "plain": Image.new("L", (SIZE, SIZE), 128),
    }


def measure(picture: Image.Image) -> tuple[float, float]:
    """Return the brightness of a picture, and the share of it that is an edge."""
    pixels = np.asarray(picture, dtype=float)
    edges = np.hypot(ndimage.sobel(pixels, axis=0), ndimage.sobel(pixels, axis=1)) > 0
    return float(pixels.mean()), float(edges.mean())


if __name__ == "__main__":
    server = "PGDATABASE" in os.environ
    database = psycopg2.connect("") if server else sqlite3.connect(":memory:")
    cursor = database.cursor()
    cursor.execute("create temporary table measured (name varchar(20), bright real, edges real)")
    found = pictures()
    rows = [(name, *measure(picture)) for name, picture in found.items()]
    cursor.executemany(INSERT.replace("?", "%s") if server else INSERT, rows)
    cursor.execute("select * from measured order by edges desc")
    table = pd.DataFrame(cursor.fetchall(), columns=["name", "bright", "edges"])
    print(table.round(2).to_string(index=False))
    sheet = Image.new("L", (SIZE * len(table), SIZE))
    for at, name in enumerate(table["name"]):
        sheet.paste(found[name], (SIZE * at, 0))
    print("sheet", sheet.size, "by", "PostgreSQL" if server else "SQLite")
