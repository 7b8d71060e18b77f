"""Read a project from disk: settings, dependencies, lock, manager, flake.

In: a folder. Out: a `Project`. nixpy only reads files and runs nothing. Read `project.py` first, then `config.py`.
"""
