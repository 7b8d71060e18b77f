"""Derive from Python sources the libraries that they open at run time.

The sources are never run.

In: the sources of a wheel or an sdist, as text. Out: `Call`s, each with its names, file and line. No disk, no network.
Read `calls.py` first.
"""
