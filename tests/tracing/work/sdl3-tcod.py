# /// script
# dependencies = ["tcod"]
# [tool.trace]
# kind = "window"
# ///
"""Open a console."""

import tcod
import tcod.tileset

tileset = tcod.tileset.Tileset(8, 8)
with tcod.context.new(tileset=tileset, columns=10, rows=5, title="a") as context:
    console = context.new_console()
    console.print(0, 0, "hello")
    context.present(console)
