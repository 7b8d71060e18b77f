# /// script
# dependencies = ["pyglet"]
# [tool.trace]
# kind = "window"
# ///
"""Open a window with a text, and make a sound."""

import pyglet

window = pyglet.window.Window(100, 100)
label = pyglet.text.Label("hello")
window.switch_to()
window.clear()
label.draw()
window.flip()
player = pyglet.media.Player()
player.queue(pyglet.media.synthesis.Sine(0.1))
player.play()
window.close()
