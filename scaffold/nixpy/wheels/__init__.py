"""Read the facts of wheels from the nearest source.

Sources are the cache, an installed environment, a local file and an index.

In: locked wheels. Out: the ELF files and requirements of each, from the nearest source that has them.
Read `gather.py` first, then `archive.py`: the interface of all sources.
"""
