# /// script
# dependencies = ["mpi4py"]
# [tool.trace]
# kind = "science"
# ///
"""Ask for the rank."""

from mpi4py import MPI

assert MPI.COMM_WORLD.Get_rank() == 0
