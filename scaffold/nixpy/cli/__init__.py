"""The command line: one small module a command, and no logic.

In: arguments. Out: text, JSON (described in `schemas`) and an exit status. Read `main.py` first, then `common.py`.
"""
