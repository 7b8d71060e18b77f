"""`nixpy package`: what nixpkgs lacks, as a file for buildPythonPackage.

In: a release of `sdists`. Out: a `Recipe` in the names of nixpkgs, rendered as one file. Read `recipe.py` first.
"""
