"""Where the facts of a wheel come from: the cache, an installed environment, a local file, an index.

In: locked wheels. Out: for each its ELF files and requirements, from the nearest place that has them.
Read `gather.py` first, then `archive.py`: the shape that all these places share.
"""
