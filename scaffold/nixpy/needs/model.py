"""What an ELF file says of itself, and what a wheel asks of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Known = Literal["sha256", "index", "installed", "tag", "listed"]
"""How a fact is known: the whole file was read and its hash matched; parts were read from the index; the installed
files were read; only the platform tag was read; a table of nixpy's has it, where there is no wheel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElfFile:
    """The linking facts of one ELF file of a wheel (ELF gABI, chapters 4 and 5)."""

    path: str  # inside the wheel
    machine: int  # e_machine: 62 x86-64, 183 AArch64
    needed: tuple[str, ...] = ()  # DT_NEEDED, in file order
    soname: str | None = None  # DT_SONAME
    interpreter: str | None = None  # PT_INTERP, where not empty
    glibc: tuple[int, ...] | None = None  # the highest GLIBC_x.y(.z) version needed of any library


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelFacts:
    """Every dynamic ELF file of one wheel, sorted by path, all machines; pure data that depends on the file alone."""

    files: tuple[ElfFile, ...]
    known: Known
    requires: tuple[str, ...] | None = None  # Requires-Dist of its METADATA, where that was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What one wheel needs of others on one machine.

    `sonames` are the DT_NEEDED names that neither glibc nor the same wheel supplies, sorted, each with the first file
    (by path) that needs it; `optional` is the part of them that is not required; `executables` are the paths of
    programs with an interpreter; `dlopen` names opened at run time that the package needs to work; `provides` the
    names other wheels may find in this one (DT_SONAME and file names of shared libraries that are not grafted).
    """

    sonames: tuple[tuple[str, str], ...] = ()
    optional: tuple[str, ...] = ()
    executables: tuple[str, ...] = ()
    dlopen: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    glibc: tuple[int, ...] | None = None
    known: Known
