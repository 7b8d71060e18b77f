"""List what nixpkgs has, without running Nix.

These are releases, Python packages and executables.

In: the name of a branch, a PyPI project or a program. Out: attributes and versions, from the tables in this folder.
Read `releases.py` first; `expression.py` defines the Nix expressions in the tables.
"""
