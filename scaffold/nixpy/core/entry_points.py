"""Read the programs in an entry_points.txt (entry points specification)."""

from __future__ import annotations

import configparser

from nixpy.core import limits
from nixpy.core.errors import NixpyError


def programs(text: bytes) -> dict[str, str]:
    """Return the programs in an entry_points.txt, each with the object that it calls.

    For example, `{"demo": "demo.cli:main"}`. The result is empty if the file is damaged.
    """
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        decoded = text.decode()
        limits.check_blanks(decoded, "entry_points.txt")
        parser.read_string(decoded)
    except (UnicodeDecodeError, configparser.Error, NixpyError):
        return {}
    sections = ("console_scripts", "gui_scripts")
    return {
        name: called for section in sections if parser.has_section(section) for name, called in parser[section].items()
    }
