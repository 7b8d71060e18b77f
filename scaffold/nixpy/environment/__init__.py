"""From what is recorded to what is rendered: all choices made, all names resolved.

In: a project, its settings and options, and nixpy.lock. Out: `Environment`, whose `env` is all that a template sees.
Read `choices.py` and `assemble.py` first, then `model.py`.
"""
