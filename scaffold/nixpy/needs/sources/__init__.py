"""Read Python sources, which are never run, and derive the libraries that they open at run time.

In: the sources of a wheel or an sdist, as text. Out: `Call`s, each with its names, file and line. No disk, no network.
Read `calls.py` first.
"""
