"""Provide errors, targets and strict readers of text files to all other folders.

In: text, from TOML and CSV files, URLs and requirements. Out: checked values, or a NixpyError that names the file
and the line. Read `errors.py` first, then `target.py`: the machine that wheels are installed on.
"""
