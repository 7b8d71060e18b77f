# /// script
# dependencies = ["cmake"]
# [tool.trace]
# kind = "tool"
# ///
"""Configure a project without a language."""

import subprocess
from pathlib import Path

Path("CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.15)\nproject(a NONE)\n")
subprocess.run(["/app/cmake/data/bin/cmake", "-G", "Unix Makefiles", "-DCMAKE_MAKE_PROGRAM=/bin/sh", "."], check=True)
