"""Read the metadata of a release on an index.

It comes from the sdist and the wheel, without running code.

In: a name and a version. Out: a `PackageRelease`: files, metadata, build requirements. Read `release.py` first.
"""
