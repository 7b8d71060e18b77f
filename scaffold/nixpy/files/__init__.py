"""The files that nixpy writes: rendered, then written or compared.

In: facts, and the files on disk. Out: texts, and in which state each file is. Read `reconcile.py` first:
it alone writes.
"""
