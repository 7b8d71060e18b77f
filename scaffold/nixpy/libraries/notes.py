"""Say what a package or a library needs that nixpy does not set up.

`notes.csv` has one row for each: a package by its normalised name, or a soname. `source` says how the row is known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from nixpy.core.csv_table import bad_row, rows
from nixpy.core.target import LINUX_SYSTEMS
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.libraries.match import Library

_TABLE = Path(__file__).with_name("notes.csv")


def notes(libraries: Iterable[Library], packages: Collection[str]) -> Iterator[Diagnostic]:
    """Yield NIX105, a note, for each package and each supplied library with a row.

    Args:
        libraries: The libraries, as `match` returns them; those that are left out have no note.
        packages: The normalised names of the packages that are installed on Linux.
    """
    used = {item.soname: item for item in libraries if item.wanted and {*item.systems} & {*LINUX_SYSTEMS}}
    for (kind, name), (note, hint) in table().items():
        if kind == "soname" and name in used:
            needing = ", ".join(used[name].needed_by)
            yield Diagnostic(code="NIX105", level="note", message=f"{name}, needed by {needing}, {note}", hint=hint)
        elif kind == "package" and name in packages:
            yield Diagnostic(code="NIX105", level="note", package=name, message=f"{name} {note}", hint=hint)


@cache
def table(path: Path = _TABLE) -> Mapping[tuple[str, str], tuple[str, str]]:
    """Return the note and the hint of each row, by its kind and name.

    Raises NixpyError, with the line, for the first row that is malformed.
    """
    found = {}
    for line, (kind, name, *texts) in rows(path, "kind", "name", "note", "hint", "source", keys=2):
        if kind not in ("package", "soname"):
            raise bad_row(path, line, f"the kind is {kind!r}", "Write package or soname.")
        if not all(texts):
            raise bad_row(path, line, f"{name} lacks a note, a hint or a source", "Fill in all columns.")
        found[kind, name] = (texts[0], texts[1])
    return found
