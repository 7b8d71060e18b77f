"""`package`: what nixpkgs lacks, as a file for buildPythonPackage, read from what an index offers and never run.

index -> files -> release -> recipe -> text
(uv)    (which)  (sdist, wheel, read)  (names of nixpkgs)  (Jinja)
"""
