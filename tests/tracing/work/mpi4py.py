# /// script
# dependencies = ["mpi4py"]
# [tool.trace]
# kind = "science"
# ///
"""Ask for the version of the library."""

import mpi4py

mpi4py.rc.initialize = False
from mpi4py import MPI

assert MPI.Get_library_version()
