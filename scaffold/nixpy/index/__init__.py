"""Package indexes: how the user set them up, and uv, which resolves what has no lock.

In: the configuration of uv and pip, and requirements. Out: `IndexSettings`, and the text of a `pylock.toml`.
Read `settings.py` first, then `resolve.py`.
"""
