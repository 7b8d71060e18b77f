"""Find the needs of the wheels that a lock installs, and record them.

In: a lock, targets, the chosen extras and groups. Out: `Analysis`, and the content of nixpy.lock.
Read `analyse.py` first; `nixpylock.py` reads and writes the file.
"""
