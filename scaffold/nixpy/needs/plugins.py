"""Read `plugins.csv`, which lists the folders of plugins.

No file of a wheel links to a plugin or has its name. A loader, such as that of Qt, opens it because of the folder that
it is in.

Columns: `folder` (the last folders of the path in the wheel), `files` (a pattern for the names of the files, see
`fnmatch`), `certainty`, and `note` (when the file is opened, and how that is known). Certainty:

- `certain`: the main work is impossible without the plugin, such as a window without that of the display server.
- `likely`: the loader opens the plugin in usual work.
- `possible`: only some programs or some machines use it. The same holds for a file of such a folder without a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePosixPath
from typing import cast, get_args

from nixpy.core.csv_table import bad_row, rows
from nixpy.needs.model import Certainty

DATA = Path(__file__).with_name("plugins.csv")

_COLUMNS = ("folder", "files", "certainty", "note")
_FOLDERS = frozenset(("plugins", "qml"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRow:
    """One line of `plugins.csv`."""

    folder: str
    files: str
    certainty: Certainty

    def matches(self, path: PurePosixPath) -> bool:
        """Return whether the row is about this path in a wheel."""
        return f"/{path.parent}".endswith(f"/{self.folder}") and fnmatchcase(path.name, self.files)


def plugin(path: str) -> Certainty | None:
    """Return how certain it is that a plugin is opened.

    Args:
        path: Its path in the wheel.

    Returns:
        None if the file is in no folder of plugins.

    Example:
        >>> plugin("PySide6/Qt/plugins/platforms/libqxcb.so")
        'certain'
    """
    file = PurePosixPath(path)
    if _FOLDERS.isdisjoint(file.parts[:-1]):
        return None
    return next((row.certainty for row in _table() if row.matches(file)), "possible")


def load(path: Path) -> tuple[PluginRow, ...]:
    """Read a table strictly.

    Raises:
        NixpyError: A column or a certainty is unknown, a field is empty, a folder is not one of plugins, or the rows
            are out of order or duplicated. The error has the file and the line.
    """
    return tuple(_row(fields, path, line) for line, fields in rows(path, *_COLUMNS, keys=2))


def _row(fields: list[str], path: Path, line: int) -> PluginRow:
    folder, files, certainty, note = fields
    if _FOLDERS.isdisjoint(folder.split("/")):
        raise bad_row(path, line, f"{folder!r} is not a folder of plugins", f"Use {', '.join(sorted(_FOLDERS))}.")
    if certainty not in get_args(Certainty):
        raise bad_row(path, line, f"unknown certainty {certainty!r}", f"Use {', '.join(get_args(Certainty))}.")
    if not files or not note.strip():
        raise bad_row(path, line, "the pattern or the note is missing", "Say which files, and how it is known.")
    return PluginRow(folder=folder, files=files, certainty=cast("Certainty", certainty))


@cache
def _table() -> tuple[PluginRow, ...]:
    return load(DATA)
