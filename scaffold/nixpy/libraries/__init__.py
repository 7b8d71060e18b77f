"""Find the provider of a soname.

It is glibc, nixpkgs, a sibling wheel, the host's driver, or none.

In: the needs of all wheels of a lock, and the user's rules. Out: libraries with their Nix expressions, and diagnostics.
Read `match.py` first; `catalogue.py` reads `sonames.csv` and `patterns.csv`.
"""
