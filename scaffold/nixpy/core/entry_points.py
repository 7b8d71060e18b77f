"""Read an entry_points.txt (entry points specification)."""

from __future__ import annotations

import configparser
from collections.abc import Iterator

from nixpy.core import limits
from nixpy.core.errors import NixpyError

_PROGRAMS = ("console_scripts", "gui_scripts")


def programs(text: bytes) -> dict[str, str]:
    """Return the programs in an entry_points.txt, each with the object that it calls.

    For example, `{"demo": "demo.cli:main"}`. The result is empty if the file is damaged.
    """
    return {name: called for group, name, called in _entries(text) if group in _PROGRAMS}


def plugins(text: bytes) -> tuple[str, ...]:
    """Return the objects of other groups, such as `demo.plugin`: packages load them."""
    return tuple(called for group, _, called in _entries(text) if group not in _PROGRAMS)


def _entries(text: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield the group, the name and the object of each entry point."""
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        decoded = text.decode()
        limits.check_blanks(decoded, "entry_points.txt")
        parser.read_string(decoded)
    except (UnicodeDecodeError, configparser.Error, NixpyError):
        return
    for group in sorted(parser.sections()):
        for name, called in parser[group].items():
            yield group, name, called
