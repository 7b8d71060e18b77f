"""Observe a machine and find out why something does not work on it.

In: this machine, its shell, a project and its `.venv`. Out: a `Report` with diagnostics. Read `facts.py` first, then
`examine.py`; a check is a function from facts to diagnostics and a row there.
"""
