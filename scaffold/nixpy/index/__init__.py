"""Read settings of package indexes, and resolve projects with uv.

uv resolves projects without a lock.

In: the configuration of uv and pip, and requirements. Out: `IndexSettings`, and the text of a `pylock.toml`.
Read `settings.py` first, then `resolve.py`.
"""
