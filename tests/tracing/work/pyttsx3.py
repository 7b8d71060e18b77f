# /// script
# dependencies = ["pyttsx3"]
# [tool.trace]
# kind = "audio"
# ///
"""Speak."""

import pyttsx3

engine = pyttsx3.init()
engine.save_to_file("hello", "a.wav")
engine.runAndWait()
