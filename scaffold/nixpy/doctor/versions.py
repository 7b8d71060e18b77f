"""Compare the symbol versions that ELF files need with those of the libraries.

Source: the LSB on symbol versions, and ld.so(8). The loader refuses a file that needs a version that its library does
not define ("version `GLIBC_2.38' not found"), and accepts any from a library that defines none.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from nixpy.doctor.facts import MissingVersion
from nixpy.doctor.loader import Files, Search
from nixpy.needs import elf
from nixpy.needs.model import ElfFile
from nixpy.needs.roots import is_executable

_NUMBERED = re.compile(r"([A-Za-z][A-Za-z0-9_+-]{0,100}?)_(\d{1,6}(?:\.\d{1,6}){0,5})", re.ASCII)

Needed = Mapping[str, Sequence[tuple[str, str]]]
"""The needed versions of each file of a wheel, as `elf.needed_versions` returns them."""


def missing_versions(
    wheel: str,
    files: Files,
    needed: Needed,
    search: Search,
    loader: Path | None,
    shipped: Mapping[str, Iterable[Path]],
) -> Iterator[MissingVersion]:
    """Yield each version that the library for a file of a wheel does not define.

    Each is yielded once for a library. `search` is that of the interpreter, with its `loader`; programs for another
    loader are left out. `shipped` are the libraries of all wheels by soname: a wheel may load that of another one
    before its own files.
    """
    known: set[tuple[str, str]] = set()
    for file in files.files:
        if is_executable(file) and (loader is None or os.path.realpath(file.interpreter or "") != str(loader)):
            continue
        for soname, version in needed.get(file.path, ()):
            if (soname, version) in known:
                continue
            library = _lacking(file, soname, version, files, search)
            if library and not any(_has(path, version) for path in shipped.get(soname, ())):
                known.add((soname, version))
                yield MissingVersion(
                    wheel=wheel,
                    file=file.path,
                    soname=soname,
                    version=version,
                    library=library,
                    newest=_newest(library, version),
                )


def _lacking(file: ElfFile, soname: str, version: str, files: Files, search: Search) -> Path | None:
    """Return the library that the loader finds and that lacks a version.

    Returns None if it has the version, or if it is not found.
    """
    # Most files find most libraries without a run path, for which their file must be read again.
    first = search.library(soname)
    if first and _has(first, version):
        return None
    found = files.library(file, soname, search)
    return found if found and not _has(found, version) else None


def _has(library: Path, version: str) -> bool:
    defined = _defined(os.path.realpath(library))
    return not defined or version in defined


@cache
def _defined(library: str) -> frozenset[str]:
    try:
        with Path(library).open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return elf.defined_versions(data)
    except (OSError, ValueError):
        return frozenset()


def _newest(library: Path, version: str) -> str | None:
    """Return the highest defined version with the same name before its number."""
    match = _NUMBERED.fullmatch(version)
    if not match:
        return None
    same = (_NUMBERED.fullmatch(one) for one in _defined(os.path.realpath(library)))
    found = [(tuple(map(int, one[2].split("."))), one[0]) for one in same if one and one[1] == match[1]]
    return max(found)[1] if found else None
