"""From nixpy.lock and the options to what is rendered: everything is decided here, and every name resolved.

In: a project, its settings and options, and nixpy.lock. Out: `Environment`, whose `env` is all that a template sees.
Read `options.py` and `assemble.py` first, then `model.py`.
"""
