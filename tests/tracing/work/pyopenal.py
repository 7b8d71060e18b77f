# /// script
# dependencies = ["PyOpenAL"]
# [tool.trace]
# kind = "audio"
# ///
"""List the devices."""

import openal

openal.oalInit()
openal.oalQuit()
