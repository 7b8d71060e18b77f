"""Read `large.csv`, which lists the large packages of nixpkgs.

By estimate, the closure of each of them is larger than 300 MB: the package with all that it requires. nixpy offers a
library of such a package, instead of supplying it, if an import does not open it, but other code does. Columns:
`attribute`, which includes all attributes below it, and `note`, the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from nixpy.core.csv_table import bad_row, rows

_TABLE = Path(__file__).with_name("large.csv")


def is_large(attribute: str) -> bool:
    """Return whether an attribute of nixpkgs is a large package, or below one.

    >>> is_large("gtk3"), is_large("cudaPackages.cudnn"), is_large("zlib")
    (True, True, False)
    """
    parts = attribute.split(".")
    return any(".".join(parts[:end]) in _table() for end in range(1, len(parts) + 1))


@cache
def _table() -> Mapping[str, str]:
    return load(_TABLE)


def load(path: Path) -> dict[str, str]:
    """Return the note of each large attribute.

    Raises NixpyError, with the line, for a malformed row.
    """
    table: dict[str, str] = {}
    for line, (attribute, note) in rows(path, "attribute", "note"):
        if not note.strip():
            raise bad_row(path, line, "the note is missing", "Say what makes the package large.")
        table[attribute] = note
    return table
