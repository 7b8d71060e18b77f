"""Read the ELF files of wheels, and derive the needs of the wheels from them.

In: the bytes of ELF files and the facts of a whole wheel. Out: `Needs`: sonames, names opened at run time
(`elf_strings.py` with `fingerprints.csv`; `dlopen.csv`), executables. No disk, no network. Read `model.py` first, then
`elf.py`, `derive.py` and `roots.py`, which decides by `plugins.csv` and what the files open which of them are in use.
"""
