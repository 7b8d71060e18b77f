"""Read the user's settings of package indexes, and run uv to resolve a project without a lock.

In: the configuration of uv and pip, and requirements. Out: `IndexSettings`, and the text of a `pylock.toml`.
Read `settings.py` first, then `resolve.py`.
"""
