"""Simulate the search of the loader (ld.so(8)) without loading anything.

So nixpy finds missing libraries.

The loader searches a needed library in this order: the DT_RPATH of the file and of those that load it, if the file has
no DT_RUNPATH; LD_LIBRARY_PATH or `--library-path`; the DT_RUNPATH of the file; its cache; its own folders. A library
that is already loaded supplies its soname. The simulation skips subfolders for newer processors (glibc-hwcaps) and the
needs of libraries that it finds: those of the store find their own.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from nixpy.core.read_file import exists
from nixpy.needs import elf
from nixpy.needs.model import ElfFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The search path of one process.

    `folders` are the configured ones and its own ones, which apply to every file. `libraries` has the files of the
    sonames in `loaded` and `cached`.
    """

    folders: tuple[Path, ...]
    loaded: frozenset[str] = frozenset()
    cached: frozenset[str] = frozenset()
    libraries: Mapping[str, Path] = field(default_factory=dict)

    def finds(self, soname: str, more: Iterable[Path] = ()) -> bool:
        """Return whether the process finds a library, also in these folders."""
        if soname in self.loaded or soname in self.cached:
            return True
        return any(exists(folder / soname) for folder in (*more, *self.folders))

    def library(self, soname: str, more: Iterable[Path] = ()) -> Path | None:
        """Return the file that the process finds for a soname, or None."""
        if soname in self.loaded:
            return self.libraries.get(soname)
        found = (folder / soname for folder in (*more, *self.folders) if exists(folder / soname))
        return next(found, None) or self.libraries.get(soname)


@dataclass(frozen=True, kw_only=True)
class Files:
    """The ELF files of one wheel, and their paths."""

    files: tuple[ElfFile, ...]
    places: Mapping[str, Path]

    def unfound(self, soname: str, search: Search) -> tuple[str, ...]:
        """Return the files that need `soname` and do not find it.

        The result is empty if no file needs it.
        """
        asking = (file for file in self.files if soname in file.needed)
        return tuple(file.path for file in asking if not search.finds(soname, self._run_path(file)))

    def library(self, file: ElfFile, soname: str, search: Search) -> Path | None:
        """Return the file that the loader finds for a soname that `file` needs, or None."""
        return search.library(soname, self._run_path(file))

    def _run_path(self, file: ElfFile) -> Iterator[Path]:
        rpath, runpath = self._paths(file)
        yield from rpath
        yield from runpath
        if not runpath:
            for other in self._above(file):
                yield from self._paths(other)[0]

    def _above(self, file: ElfFile) -> Iterator[ElfFile]:
        """Yield all files that may have loaded this one."""
        seen, waiting = {file.path}, [file]
        while waiting:
            below = waiting.pop()
            names = {Path(below.path).name, below.soname}
            for other in self.files:
                if other.path not in seen and not names.isdisjoint(other.needed):
                    seen.add(other.path)
                    waiting.append(other)
                    yield other

    def _paths(self, file: ElfFile) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        known = self._known
        if file.path not in known:
            known[file.path] = _run_paths(self.places[file.path])
        return known[file.path]

    @cached_property
    def _known(self) -> dict[str, tuple[tuple[Path, ...], tuple[Path, ...]]]:
        return {}


def _run_paths(place: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    try:
        with place.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            rpath, runpath = elf.run_path(data)
    except (OSError, ValueError):
        return (), ()
    origin = str(place.resolve().parent)
    expanded = [
        tuple(Path(entry.replace("$ORIGIN", origin).replace("${ORIGIN}", origin)) for entry in entries if entry)
        for entries in (rpath, runpath)
    ]
    return expanded[0], expanded[1]
