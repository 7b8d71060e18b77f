"""Find the libraries that Python sources open with ctypes and cffi, directly or through functions of the package."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A place in a source that opens a library.

    `names` are those that the code tries, in this order, and one of them is enough: sonames (`libz.so.1`) or file
    names (`libz.so`). `find_library("z")` is the name `libz.so`; `find_library` is true if all names come from it.
    `systems` are those for which the code has this call. `at_import`: importing the module makes the call, directly
    or through functions. `guarded`: the code can go on without the library, or something unknown decides whether
    it opens the library.
    """

    names: tuple[str, ...]
    path: str  # inside the wheel
    line: int
    find_library: bool = False
    systems: tuple[str, ...]  # sorted
    at_import: bool
    guarded: bool


def find_calls(sources: Mapping[str, str], members: Collection[str] | None = None) -> tuple[Call, ...]:
    """Return the calls of sources that open libraries, sorted by path and line.

    `sources` are the texts of the Python files by their path in the wheel. `members` are the paths of all its files:
    a library that is one of them is no call. Without `members`, the wheel has only the sources. Sources that Python 3
    cannot parse are ignored. The result never has names of files of the wheel.
    """
    del sources, members
    return ()
