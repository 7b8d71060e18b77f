# /// script
# dependencies = ["h5py"]
# [tool.trace]
# kind = "science"
# ///
"""Write a data set and read it."""

import h5py

with h5py.File("a.h5", "w") as file:
    file.create_dataset("a", data=[1, 2, 3], compression="gzip")
with h5py.File("a.h5") as file:
    assert file["a"][:].sum() == 6
