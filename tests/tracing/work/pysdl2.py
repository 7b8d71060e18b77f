# /// script
# dependencies = ["PySDL2"]
# [tool.trace]
# kind = "window"
# ///
"""Open a window."""

import sdl2.ext

sdl2.ext.init()
window = sdl2.ext.Window("a", size=(64, 64))
window.show()
sdl2.ext.quit()
