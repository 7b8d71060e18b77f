"""The values of a document, and a document with other values as TOML."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from typing import Any


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the way to every value below `value`."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield (*path, key)
        yield from places(child, (*path, key))


def toml(value: object) -> str:
    """Return a value as TOML on one line, which is written far sooner than with tables in sections."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value) if isinstance(value, str | bool) else str(value)


def document_of(values: dict[str, Any]) -> str:
    """Return a TOML document with these values."""
    return "".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in values.items())


def changed(document: dict[str, Any], way: Sequence[str | int], value: object) -> dict[str, Any]:
    """Return the document with another value at `way`; None removes the value."""
    document = copy.deepcopy(document)
    table: Any = document
    for key in way[:-1]:
        table = table[key]
    if value is None and way[-1] in (table if isinstance(table, dict) else range(len(table))):
        del table[way[-1]]
    elif value is not None:
        table[way[-1]] = value
    return document
