"""Define the facts of an ELF file and of a wheel, and the needs of a wheel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Known = Literal["sha256", "index", "installed", "tag", "listed"]
"""The source of a fact: the whole file was read and its hash matched; parts were read from the index; the installed
files were read; only the platform tag was read; or, without a wheel, a table of nixpy has the fact."""


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
    """The dynamic ELF files of one wheel for all machines, sorted by path.

    The facts depend only on the wheel file.
    """

    files: tuple[ElfFile, ...]
    known: Known
    requires: tuple[str, ...] | None = None  # Requires-Dist of its METADATA, if nixpy read it


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """The needs of one wheel on one machine.

    `sonames` are the DT_NEEDED names that neither glibc nor the same wheel supplies, sorted, each with the first file
    (by path) that needs it; `optional` are those that are not required. `executables` are the paths of programs with
    an interpreter. `dlopen` are the names that the package must open at run time. `provides` are the names that other
    wheels may find in this one (DT_SONAME and file names of shared libraries that are not grafted).
    """

    sonames: tuple[tuple[str, str], ...] = ()
    optional: tuple[str, ...] = ()
    executables: tuple[str, ...] = ()
    dlopen: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    glibc: tuple[int, ...] | None = None
    known: Known
