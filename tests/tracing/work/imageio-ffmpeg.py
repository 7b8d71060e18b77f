# /// script
# dependencies = ["imageio-ffmpeg"]
# [tool.trace]
# kind = "video"
# ///
"""Encode a film."""

import imageio_ffmpeg

writer = imageio_ffmpeg.write_frames("a.mp4", (64, 64))
writer.send(None)
writer.send(bytes(64 * 64 * 3))
writer.close()
