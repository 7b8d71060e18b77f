"""Generate a Nix file with buildPythonPackage for a package that nixpkgs lacks (`nixpy package`).

In: a release of `sdists`. Out: a `Recipe` with the names of nixpkgs, and its file. Read `recipe.py` first.
"""
