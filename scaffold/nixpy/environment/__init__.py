"""From nixpy.lock and the options to what is rendered: everything is decided here, and every name resolved.

In: a project, its settings and options, and nixpy.lock. Out: `Environment`, and the facts that are rendered.
Read `options.py` and `assemble.py` first, then `model.py`.
"""
