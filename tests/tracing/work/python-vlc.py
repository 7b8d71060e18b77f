# /// script
# dependencies = ["python-vlc"]
# [tool.trace]
# kind = "audio"
# ///
"""Play a file."""

import wave

import vlc

with wave.open("a.wav", "wb") as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(8000)
    file.writeframes(bytes(1600))
instance = vlc.Instance("--no-video")
player = instance.media_player_new()
player.set_media(instance.media_new("a.wav"))
assert player.play() == 0
