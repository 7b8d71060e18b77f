"""The styles and features: folders of `templates` with a TOML file, read as data.

In: the TOML files. Out: `Style`, `Feature`, and what each style promises. Read `styles.py` first.
"""
