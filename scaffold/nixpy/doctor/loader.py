"""What a loader would not find, told without loading: the search of ld.so(8), simulated.

For a library needed by a file: the DT_RPATH of the file and of those that brought it in, where it has no DT_RUNPATH;
what the loader was told (LD_LIBRARY_PATH, `--library-path`); the file's DT_RUNPATH; the loader's cache and its own
folders. A library that is in the process already answers to its soname. Subfolders for newer processors (glibc-hwcaps)
are not looked into, and of a library that is found nothing more is asked: what comes from the store finds its own.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nixpy.core.read_file import exists
from nixpy.needs import elf
from nixpy.needs.model import ElfFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Where one process looks. `folders` are told and its own ones together: both hold for every file in it."""

    folders: tuple[Path, ...]
    loaded: frozenset[str] = frozenset()
    cached: frozenset[str] = frozenset()

    def finds(self, soname: str, more: Iterable[Path] = ()) -> bool:
        """Return whether the process finds a library, also in these folders."""
        if soname in self.loaded or soname in self.cached:
            return True
        return any(exists(folder / soname) for folder in (*more, *self.folders))


@dataclass(frozen=True, kw_only=True)
class Files:
    """The ELF files of one wheel, and where each lies."""

    files: tuple[ElfFile, ...]
    places: Mapping[str, Path]

    def unfound(self, soname: str, search: Search) -> tuple[str, ...]:
        """Return the files that need `soname` and would not get it; none where nobody needs it."""
        asking = (file for file in self.files if soname in file.needed)
        return tuple(file.path for file in asking if not search.finds(soname, self._run_path(file)))

    def _run_path(self, file: ElfFile) -> Iterator[Path]:
        rpath, runpath = self._paths(file)
        yield from rpath
        yield from runpath
        if not runpath:
            for other in self._above(file):
                yield from self._paths(other)[0]

    def _above(self, file: ElfFile) -> Iterator[ElfFile]:
        """Yield all files that may have brought this one in."""
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
