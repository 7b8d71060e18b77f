"""Compute the facts of a project from nixpy.lock and the options.

Here all choices are decided and all names resolved.

In: a project, its settings and options, and nixpy.lock. Out: `Environment`, and the facts for the generated file.
Read `options.py` and `assemble.py` first, then `model.py`.
"""
