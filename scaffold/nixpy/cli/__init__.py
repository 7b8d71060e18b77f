"""Define the command line: one small module for each command, without logic.

In: arguments. Out: text, JSON (described in `schemas`) and an exit status. Read `main.py` first, then `common.py`.
"""
