"""Define the facts of an ELF file and of a wheel, and the needs of a wheel."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

Known = Literal["sha256", "index", "installed", "tag", "listed"]
"""The source of a fact: the whole file was read and its hash matched; parts were read from the index; the installed
files were read; only the platform tag was read; or, without a wheel, a table of nixpy has the fact."""


Evidence = Literal["linked", "note", "source", "strings", "table"]
"""How it is known that a package needs a library: DT_NEEDED of an ELF file; the note `.note.dlopen` of an ELF file;
a call in a Python source; strings of an ELF file; or a table of nixpy."""

Certainty = Literal["certain", "likely", "possible"]
"""`certain`: importing the package or starting its program opens the library, and no `except` is around it. `likely`:
the code for this system opens it. `possible`: the file has the name, and nothing shows that it opens the library."""


OWN = "./"
"""The beginning of a name that is the path of a file in the wheel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeOpen:
    """A library that a file of a wheel opens at run time: dlopen, ctypes, cffi.

    `names` are those that the code tries, in this order, and one of them is enough: sonames (`libz.so.1`) or file
    names (`libz.so`). That of a file of the wheel is its path after `./`. `find_library("z")` of ctypes is the name
    `libz.so` with `find_library`. `path` and `line` are those of the call; an ELF file has no line. `module` is the
    dotted name of the module of the call if importing the package or starting its programs never imports it. Then
    `modules` are those that import it, outermost ones alone: the library is opened only if other sources import one of
    them, or a module below one of them.
    """

    names: tuple[str, ...]
    evidence: Evidence
    certainty: Certainty
    path: str  # inside the wheel
    line: int | None = None
    find_library: bool = False
    module: str | None = None
    modules: tuple[str, ...] = ()  # sorted; empty without `module`
    systems: tuple[str, ...]  # those on which this code runs, such as x86_64-linux; sorted


@dataclass(frozen=True, slots=True, kw_only=True)
class ElfFile:
    """The linking facts of one ELF file of a wheel (ELF gABI, chapters 4 and 5)."""

    path: str  # inside the wheel
    machine: int  # e_machine: 62 x86-64, 183 AArch64
    needed: tuple[str, ...] = ()  # DT_NEEDED, in file order
    soname: str | None = None  # DT_SONAME
    interpreter: str | None = None  # PT_INTERP, if not empty
    glibc: tuple[int, ...] | None = None  # the highest GLIBC_x.y(.z) version that it needs


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelFacts:
    """The dynamic ELF files of one wheel, and the libraries that its files open.

    They are those of all machines, sorted by path. The facts depend only on the wheel file.
    """

    files: tuple[ElfFile, ...]
    known: Known
    requires: tuple[str, ...] | None = None  # Requires-Dist of its METADATA, if nixpy read it
    opens: tuple[RuntimeOpen, ...] = ()  # on all systems, sorted by path and line
    imports: tuple[str, ...] = ()  # dotted names that its sources always import from other packages, sorted
    unreadable: tuple[str, ...] = ()  # files with ELF magic that a loader links and nixpy cannot read, sorted


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """The needs of one wheel on one machine.

    `sonames` are the DT_NEEDED names that neither glibc nor the same wheel supplies, sorted, each with the first file
    (by path) that needs it. `optional` are those without which the package works, `likely` those of files that it opens
    at run time. `executables` are the paths of programs with an interpreter. `provides` are the names that other wheels
    may find in this one (DT_SONAME and file names of shared libraries that are not grafted). `opens` are the libraries
    opened at run time that the wheel does not contain.
    """

    sonames: tuple[tuple[str, str], ...] = ()
    likely: tuple[str, ...] = ()  # none of them is in `optional`
    optional: tuple[str, ...] = ()
    executables: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    glibc: tuple[int, ...] | None = None
    known: Known
    opens: tuple[RuntimeOpen, ...] = ()  # on this system, in the order of `open_order`
    unreadable: tuple[str, ...] = ()  # ELF files that nixpy cannot read: the needs are not complete
    imports: tuple[str, ...] = ()  # dotted names that its sources always import from other packages, sorted

    @property
    def dlopen(self) -> tuple[str, ...]:
        """The libraries that the package opens at run time, sorted.

        Each has the name that is tried first. Those that are only possible, or in a module that nothing imports, are
        left out.
        """
        return tuple(sorted({one.names[0] for one in reached(self.opens) if one.certainty != "possible"}))


def unreached_modules(opens: Iterable[RuntimeOpen]) -> frozenset[str]:
    """Return the modules on an import of which it depends whether a library is opened."""
    return frozenset(module for one in opens if one.module for module in one.modules or (one.module,))


def reached(opens: Iterable[RuntimeOpen], imported: Collection[str] = ()) -> tuple[RuntimeOpen, ...]:
    """Return the opens that count.

    A module that nothing in its package imports opens its libraries only if others import it, or one that imports it.

    Args:
        opens: The libraries that a wheel opens.
        imported: The dotted names of the modules that the project and other packages import.
    """
    return tuple(
        one
        for one in opens
        if one.module is None
        or any(f"{name}.".startswith(f"{module}.") for module in one.modules or (one.module,) for name in imported)
    )


def open_order(one: RuntimeOpen) -> tuple[str, int, tuple[str, ...], tuple[object, ...]]:
    """Return the key to sort the opens of one system by: place, then names."""
    rest = (one.evidence, one.certainty, one.find_library, one.module or "", one.modules)
    return one.path, one.line or 0, one.names, rest
