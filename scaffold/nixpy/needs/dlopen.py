"""What ELF files do not say: `dlopen.csv`, one reviewed fact a row about what a package opens at run time.

Columns: `package` (normalised name), `kind`, `value`, `unless`, and `note` (how it is opened, which version).
Kinds: `dlopen`, where `value` is a soname that the package opens to do its main work on Linux;
`required-files`, a pattern of the wheel's own files that it opens for that, so that their needs count as
required; `optional-files`, a pattern of files that it works without, so that their needs do not. Patterns
follow `fnmatch` over the path in the wheel; `*` crosses folders. `unless`: packages that bring the soname.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from packaging.utils import NormalizedName, is_normalized_name

from nixpy.errors import NixpyError

DATA = Path(__file__).with_name("dlopen.csv")

_COLUMNS = ["package", "kind", "value", "unless", "note"]
_KINDS = ("dlopen", "optional-files", "required-files")
_SONAME = re.compile(r"lib[A-Za-z0-9._+-]+\.so(\.[A-Za-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Row:
    """One line of `dlopen.csv`; rows are sorted by these fields in this order."""

    package: str
    kind: str
    value: str
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rows about one package."""

    rows: tuple[Row, ...] = ()

    @property
    def sonames(self) -> tuple[str, ...]:
        """What the package opens by name, sorted."""
        return tuple(row.value for row in self.rows if row.kind == "dlopen")

    def requires(self, path: str) -> bool:
        """Say whether the package opens this file of its wheel to do its main work."""
        return self._matches("required-files", path)

    def spares(self, path: str) -> bool:
        """Say whether the package works without this file of its wheel."""
        return self._matches("optional-files", path)

    def _matches(self, kind: str, path: str) -> bool:
        return any(row.kind == kind and fnmatchcase(path, row.value) for row in self.rows)


def rules(package: NormalizedName) -> Rules:
    """Return the curated rules of a package, without any for most."""
    return Rules(rows=_by_package().get(package, ()))


def brought_by(package: NormalizedName, soname: str) -> frozenset[str]:
    """Return the packages beside which `package` no longer opens `soname` (psycopg beside psycopg-binary)."""
    return frozenset(
        name for row in rules(package).rows if (row.kind, row.value) == ("dlopen", soname) for name in row.unless
    )


def load(path: Path) -> tuple[Row, ...]:
    """Read a table strictly.

    Raises NixpyError, naming file and line, for an unknown column or kind, a name that is not normalised
    (PEP 503), a value that is no soname, a missing note, and rows out of order or doubled.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            if next(reader, None) != _COLUMNS:
                raise _error("the columns must be " + ",".join(_COLUMNS), path, 1)
            return tuple(_rows(reader, path))
        except csv.Error as error:
            raise _error(f"not valid CSV: {error}", path, reader.line_num) from error


def _rows(reader: Iterator[list[str]], path: Path) -> Iterator[Row]:
    last: Row | None = None
    for line, fields in enumerate(reader, start=2):
        row = _row(fields, path, line)
        if last is not None and (row.package, row.kind, row.value) <= (last.package, last.kind, last.value):
            raise _error("rows must be sorted, each only once", path, line)
        last = row
        yield row


def _row(fields: list[str], path: Path, line: int) -> Row:
    if len(fields) != len(_COLUMNS):
        raise _error(f"{len(fields)} fields where {len(_COLUMNS)} belong", path, line)
    package, kind, value, unless, note = fields
    names = tuple(unless.split())
    for name in (package, *names):
        if not is_normalized_name(name):
            raise _error(f"{name!r} is not a normalised package name", path, line)
    if kind not in _KINDS:
        raise _error(f"unknown kind {kind!r}; there are {', '.join(_KINDS)}", path, line)
    if not value or (kind == "dlopen" and not _SONAME.fullmatch(value)):
        raise _error(f"{value!r} is not a soname" if kind == "dlopen" else "the pattern is missing", path, line)
    if not note.strip():
        raise _error("the note that says how it is known is missing", path, line)
    return Row(package=package, kind=kind, value=value, unless=names)


def _error(message: str, path: Path, line: int) -> NixpyError:
    return NixpyError(message, hint="correct this row of the table", path=path, line=line)


@cache
def _by_package() -> dict[str, tuple[Row, ...]]:
    table: dict[str, tuple[Row, ...]] = {}
    for row in load(DATA):
        table[row.package] = (*table.get(row.package, ()), row)
    return table
