"""From a lock to nixpy.lock: which wheels there are, and what each needs.

In: a lock, targets, the chosen extras and groups. Out: `Analysis`, and what nixpy.lock records of them.
Read `analyse.py` first; `nixpylock.py` reads and writes the file.
"""
