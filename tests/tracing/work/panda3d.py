# /// script
# dependencies = ["panda3d"]
# [tool.trace]
# kind = "window"
# ///
"""Open a window and render a frame."""

from direct.showbase.ShowBase import ShowBase
from panda3d.core import loadPrcFileData

loadPrcFileData("", "audio-library-name p3openal_audio")
base = ShowBase()
assert base.win is not None
assert base.pipe.getInterfaceName() == "OpenGL", base.pipe.getInterfaceName()
for _ in range(3):
    base.taskMgr.step()
