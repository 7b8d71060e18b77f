"""Read the styles and features: folders of `templates` with a TOML file.

In: the TOML files. Out: `Style`, `Feature`, and the promises of each style. Read `styles.py` first.
"""
