# /// script
# dependencies = ["jpype1"]
# [tool.trace]
# kind = "java"
# ///
"""Look for a Java that is not there."""

import jpype

try:
    jpype.startJVM()
except jpype.JVMNotFoundException:
    pass
