"""Read TOML files, with errors that name the file and the line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nixpy.core import limits
from nixpy.core.conflict import refuse_conflict
from nixpy.core.errors import InputError
from nixpy.core.read_file import read_bytes

_HEADER = re.compile(r"\s*\[{1,2}(?P<key>[^\[\]]+)\]{1,2}\s*(#.*)?$")
_KEY = re.compile(r"""(?P<key>(?:[\w.\s-]|"[^"]*"|'[^']*')++)=""")
_DOTTED = re.compile(  # a key of more levels than the limit, anywhere in a line
    rf"""(?<![\w-])(?:(?:[\w-]++|"(?:[^"\\]|\\.)*+"|'[^']*+')[ \t]*+\.[ \t]*+){{{limits.DEPTH}}}"""
)
_AT = re.compile(r"\(at line (\d+), column \d+\)")


def load_toml(path: Path) -> dict[str, Any]:
    """Return the TOML 1.0 document in `path`.

    Raises NixpyError if the file is missing, is not UTF-8 or is not TOML; the last two with the line.
    """
    return parse_toml(read_text(path), path)


def parse_toml(text: str, path: Path) -> dict[str, Any]:
    """Return the TOML document in `text`.

    Raises NixpyError, with `path` and line, if it is not TOML or passes a limit.
    """
    limits.check_text(text, path)
    for number, content in enumerate(text.split("\n"), start=1):
        # tomllib takes quadratic time for such a key.
        if len(content) > 2 * limits.DEPTH and content.count(".") >= limits.DEPTH and _DOTTED.search(content):
            message = f"this file cannot be read: a key has more than {limits.DEPTH} levels"
            raise InputError(message, hint="Correct it.", path=path, line=number)
    try:
        document = tomllib.loads(text)
        limits.check_document(document)
    except tomllib.TOMLDecodeError as error:
        at = _AT.search(str(error))
        line = int(at[1]) if at else text.count("\n") + 1
        reason = _AT.sub("", str(error)).strip()
        hint = "Correct the syntax on that line."
        refuse_conflict(text, path)
        raise InputError(f"this is not valid TOML: {reason}", hint=hint, path=path, line=line) from None
    except RecursionError:
        message = f"this file cannot be read: its tables and lists have more than {limits.DEPTH} levels"
        raise InputError(message, hint="Correct the brackets.", path=path) from None
    except limits.PastLimitError as error:
        raise InputError(f"this file cannot be read: {error}", hint="Correct it.", path=path) from None
    except ValueError as error:  # a number with underscores, a date that no calendar has
        raise InputError(f"this is not valid TOML: {error}", hint="Correct that value.", path=path) from None
    return document


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file.

    Raises NixpyError if the file cannot be read or passes a limit, with the line if it is not UTF-8.
    """
    try:
        raw = read_bytes(path)
    except FileNotFoundError:
        raise InputError("this file does not exist", hint="Check the path and its spelling.", path=path) from None
    except OSError as error:
        raise InputError(f"this file cannot be read: {error.strerror}", path=path) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError("this file is not UTF-8", hint="Save it as UTF-8.", path=path, line=line) from None
    limits.check_text(text, path)
    return text


def toml_line(text: str, *keys: str | int, value: str | None = None) -> int | None:
    """Return the 1-based line that sets `keys`.

    If there is none, return that of the nearest enclosing key or table, or None.

    A number among the keys is the place in an array: of tables with headers, or one element a line. Without numbers,
    arrays of tables count as one table. With `value`, return the first line from there on that contains that text, if
    any: an item of a long array. Use it for messages only: it reads line by line, so a multi-line string that looks
    like TOML may confuse it.
    """
    best, line = 0, None
    for number, found in _keys(text, arrays=any(isinstance(key, int) for key in keys)):
        shared = next((i for i, (a, b) in enumerate(zip(found, keys, strict=False)) if a != b), None)
        depth = min(len(found), len(keys)) if shared is None else 0
        if depth > best:
            best, line = depth, number
    lines = text.split("\n")
    if line is not None and len(keys) > best and isinstance(place := keys[best], int):
        opened = lines[line - 1].rstrip().endswith("[") and line + place < len(lines)
        line += place + 1 if opened else 0
    if line is None or value is None:
        return line
    return next((line + i for i, content in enumerate(lines[line - 1 :]) if value in content), line)


def _keys(text: str, *, arrays: bool) -> Iterator[tuple[int, tuple[str | int, ...]]]:
    """Yield every line that opens a table or sets a key.

    With it is the whole dotted name as a tuple, with the places in `arrays` of tables.
    """
    table: tuple[str | int, ...] = ()
    places: dict[tuple[str | int, ...], int] = {}
    for number, content in enumerate(text.split("\n"), start=1):
        if header := _HEADER.match(content):
            table = ()
            names = _split(header["key"])
            for name in names if arrays else ():
                table += (name,)
                if content.lstrip().startswith("[[") and len(table) - sum(map(_is_place, table)) == len(names):
                    places[table] = places.get(table, -1) + 1
                table += (places[table],) if table in places else ()
            table = table if arrays else names
            yield number, table
        elif key := _KEY.match(content):
            yield number, (*table, *_split(key["key"]))


def _is_place(key: str | int) -> bool:
    return isinstance(key, int)


def _split(dotted: str) -> tuple[str, ...]:
    """Split a dotted key as TOML does; the parser itself knows the quoting."""
    try:
        node: Any = tomllib.loads(f"{dotted.strip()} = 0")
    except (ValueError, RecursionError):
        node = {}
    if not node:  # no key, or a comment
        return ("",)
    names: list[str] = []
    while isinstance(node, dict):
        name, node = next(iter(node.items()))
        names.append(name)
    return tuple(names)
