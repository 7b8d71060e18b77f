"""Generate a Nix file for a package that nixpkgs lacks (`nixpy package`).

The file uses buildPythonPackage.

In: a release of `sdists`. Out: a `Recipe` with the names of nixpkgs, and its file. Read `recipe.py` first.
"""
