"""Generate the files of nixpy, and write them or compare them with the disk.

In: facts, and the files on disk. Out: texts, and the state of each file. Read `reconcile.py` first:
only it writes.
"""
