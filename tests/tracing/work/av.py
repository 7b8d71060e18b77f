# /// script
# dependencies = ["av", "numpy"]
# [tool.trace]
# kind = "video"
# ///
"""Encode a film and read it."""

import av
import numpy

with av.open("a.mp4", "w") as film:
    stream = film.add_stream("h264", rate=10)
    stream.width = stream.height = 64
    stream.pix_fmt = "yuv420p"
    for _ in range(3):
        film.mux(stream.encode(av.VideoFrame.from_ndarray(numpy.zeros((64, 64, 3), "uint8"), format="rgb24")))
    film.mux(stream.encode())
with av.open("a.mp4") as film:
    assert len(list(film.decode(video=0))) == 3
