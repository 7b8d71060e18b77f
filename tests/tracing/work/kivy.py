# /// script
# dependencies = ["kivy"]
# [tool.trace]
# kind = "window"
# ///
"""Open a window with a button."""

import os

os.environ["KIVY_NO_ARGS"] = "1"
from kivy.app import App
from kivy.clock import Clock
from kivy.uix.button import Button


class Hello(App):
    def build(self):
        Clock.schedule_once(lambda _: self.stop(), 0.5)
        return Button(text="hello")


Hello().run()
