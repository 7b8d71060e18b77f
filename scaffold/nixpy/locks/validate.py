"""Check the types of values in a lock's document, and evaluate its markers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from packaging.markers import InvalidMarker
from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from nixpy.core.target import Target
from nixpy.core.toml_file import toml_line

Table = Mapping[str, Any]

_T = TypeVar("_T")
_EXTRA = re.compile(r"""\bextra\s*(==|!=)\s*('[^']*'|"[^"]*")""")


class DamagedError(Exception):
    """The document is TOML, but its tool does not write it like this.

    `keys` lead to the value in the document; they are empty if the place is unknown.
    """

    def __init__(self, message: str, keys: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.keys = keys


def typed(table: Table, key: str, kind: type[_T], default: _T | None = None) -> _T:
    """Return the value at `key`, or `default` if it is missing.

    Raises DamagedError if it is not of type `kind`.
    """
    value = table.get(key, default)
    if not isinstance(value, kind):
        state = "is missing" if value is None else f"is not a {kind.__name__}"
        raise DamagedError(f"`{key}` {state}")
    return value


def package_name(table: Table) -> NormalizedName:
    """Return the normalised name of a package.

    Raises DamagedError for an invalid name, such as a path or a URL.
    """
    try:
        return canonicalize_name(typed(table, "name", str), validate=True)
    except InvalidName:
        raise DamagedError("`name` is not the name of a package") from None


def check_kinds(table: Table, kinds: Mapping[str, type]) -> None:
    """Raise DamagedError if an existing value has another type than in `kinds`."""
    for key, kind in kinds.items():
        if key in table:
            typed(table, key, kind)


def tables(value: object) -> list[Table]:
    """Return a list of tables; DamagedError for anything else."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise DamagedError(f"a list of tables was expected, not a {type(value).__name__}")
    return value


def table_at(data: Table, *keys: str) -> Table:
    """Return the table at `keys`, empty if there is none.

    Raises DamagedError if it is not a table.
    """
    for key in keys:
        data = typed(data, key, dict, {})
    return data


def strings(table: Table, key: str) -> tuple[str, ...]:
    """Return the list of strings at `key`, empty if there is none.

    Raises DamagedError for anything else.
    """
    value = table.get(key, ())
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise DamagedError(f"`{key}` is not a list of strings")
    return tuple(value)


def holds(marker: str | None, target: Target, extras: frozenset[str] = frozenset()) -> bool:
    """Return whether a marker is true on `target` with these extras.

    Raises DamagedError if it is invalid.
    """
    if marker is None:
        return True
    try:
        return target.satisfies(_with_sets(marker), extras)
    except InvalidMarker as error:
        raise DamagedError(f"cannot evaluate the marker `{marker}`: {error}") from None


@cache
def _with_sets(marker: str) -> str:
    """Return a marker about several active extras in the form of PEP 751.

    The tools write `extra == 'a' and extra != 'b'` about the whole set of extras; PEP 751 writes
    `'a' in extras and 'b' not in extras`.
    """
    return _EXTRA.sub(lambda m: f"{m[2]} {'in' if m[1] == '==' else 'not in'} extras", marker)


def damaged_package(text: str, error: Exception) -> int | None:
    """Return the line of the package that an error names.

    Without a package it is that of `[metadata]` in the text of a lock.
    """
    named = re.match(r"package (\S+):", str(error))
    lines = text.split("\n")
    found = next((number for number, line in enumerate(lines, 1) if named and line == f'name = "{named[1]}"'), None)
    return found or toml_line(text, "metadata")
