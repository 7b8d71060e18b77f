"""Read lock files: one module for each format, and one model for all.

In: a lock file, a target and the chosen extras and groups. Out: the packages it installs there, and the wheel of each.
Read `model.py` first; `formats.py` has one row for each format; `select.py` chooses the wheel.
"""
