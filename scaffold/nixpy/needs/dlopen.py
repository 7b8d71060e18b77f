"""Read `dlopen.csv`, which lists what packages open at run time.

ELF files do not record these facts.

Columns: `package` (normalised name), `kind`, `value`, `unless`, and `note` (how it is opened, which version).
Kinds:

- `dlopen`: `value` is a soname that the package opens to do its main work on Linux.
- `find-library`: the same, but the package gets the name from `ctypes.util.find_library`.
- `required-files`: a pattern for files of the wheel that the package opens for its main work; their needs are required.
- `optional-files`: a pattern for files that the package works without; their needs are optional, and what they open is
  only possible.

Patterns follow `fnmatch` over the path in the wheel; `*` crosses folders. `unless` lists packages that contain the
soname.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from packaging.utils import NormalizedName, is_normalized_name

from nixpy.core.csv_table import bad_row, rows
from nixpy.core.target import SYSTEMS
from nixpy.needs.model import RuntimeOpen

DATA = Path(__file__).with_name("dlopen.csv")

_COLUMNS = ("package", "kind", "value", "unless", "note")
_OPENED = ("dlopen", "find-library")
_KINDS = (*_OPENED, "optional-files", "required-files")
_SONAME = re.compile(r"lib[A-Za-z0-9._+-]+\.so(\.[A-Za-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class DlopenRow:
    """One line of `dlopen.csv`."""

    package: str
    kind: str
    value: str
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Curated:
    """The rows about one package."""

    rows: tuple[DlopenRow, ...] = ()

    @property
    def opens(self) -> tuple[RuntimeOpen, ...]:
        """The libraries that the package opens, sorted by soname.

        They are likely: a row says that the main work opens the library, and not that an import does.
        """
        rows = sorted((row for row in self.rows if row.kind in _OPENED), key=lambda row: row.value)
        return tuple(
            RuntimeOpen(
                names=(row.value,),
                evidence="table",
                certainty="likely",
                path="",
                find_library=row.kind == "find-library",
                systems=SYSTEMS,
            )
            for row in rows
        )

    def requires(self, path: str) -> bool:
        """Return whether the package opens this file of its wheel to do its main work."""
        return self._matches("required-files", path)

    def spares(self, path: str) -> bool:
        """Return whether the package works without this file of its wheel."""
        return self._matches("optional-files", path)

    def _matches(self, kind: str, path: str) -> bool:
        return any(row.kind == kind and fnmatchcase(path, row.value) for row in self.rows)


def curated(package: NormalizedName) -> Curated:
    """Return the rows about a package; most packages have none."""
    return Curated(rows=_by_package().get(package, ()))


def without_open(package: NormalizedName, soname: str) -> frozenset[str]:
    """Return the packages with which `package` no longer opens `soname`.

    For example, psycopg opens nothing with psycopg-binary.
    """
    return frozenset(
        name for row in curated(package).rows if row.kind in _OPENED and row.value == soname for name in row.unless
    )


def load(path: Path) -> tuple[DlopenRow, ...]:
    """Read a table strictly.

    Raises NixpyError, naming file and line, for an unknown column or kind, a name that is not normalised
    (PEP 503), a value that is not a soname, a missing note, and rows that are out of order or duplicated.
    """
    return tuple(_row(fields, path, line) for line, fields in rows(path, *_COLUMNS, keys=3))


def _row(fields: list[str], path: Path, line: int) -> DlopenRow:
    package, kind, value, unless, note = fields
    names = tuple(unless.split())
    for name in (package, *names):
        if not is_normalized_name(name):
            raise bad_row(
                path, line, f"{name!r} is not a normalised package name", "Normalise the name as PEP 503 defines."
            )
    if kind not in _KINDS:
        raise bad_row(path, line, f"unknown kind {kind!r}", f"Use {', '.join(_KINDS)}.")
    if kind in _OPENED and not _SONAME.fullmatch(value):
        raise bad_row(path, line, f"{value!r} is not a soname", "Write the bare name, such as libz.so.1.")
    if not value:
        raise bad_row(path, line, "the pattern is missing", "Write a pattern for the paths in the wheel.")
    if not note.strip():
        raise bad_row(path, line, "the note is missing", "Say how it is known.")
    return DlopenRow(package=package, kind=kind, value=value, unless=names)


@cache
def _by_package() -> dict[str, tuple[DlopenRow, ...]]:
    table: dict[str, tuple[DlopenRow, ...]] = {}
    for row in load(DATA):
        table[row.package] = (*table.get(row.package, ()), row)
    return table
