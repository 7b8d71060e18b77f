"""A project as it lies on disk: settings, dependencies, lock, manager, flake.

In: a folder. Out: a `Project`. Only files are read; nothing runs. Read `project.py` first, then `config.py`.
"""
