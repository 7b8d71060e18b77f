"""What a release on an index says of itself, read from its sdist and wheel and never run.

In: a name and a version. Out: a `PackageRelease`: files, metadata, build requirements. Read `release.py` first.
"""
