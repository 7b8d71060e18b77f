"""Read `fingerprints.csv`, which lists what known components open at run time.

A component is a library that other projects build into their own files, such as SDL or GLFW. Its strings show that a
file has it, and the table says what it opens.

Columns: `component`, `kind`, `value`, `string`, `server`, and `note` (how it is known, which version). Kinds:

- `marker`: a string of the component. A file has the component if it has all of its markers.
- `likely`: names of a library, separated by spaces; the component tries them in this order, and one is enough. It
  opens the library in its main work on a usual desktop: a window, its OpenGL context, sound, a computation.
- `possible`: the same, for a library that only some programs or some machines use.

A file without any of the names as a string was built without that part of the component, and does not open the library.
Some compilers put short strings into instructions, and some components compose the names; then `string` is another one
that shows the same. `server` is the display or sound server with which the library is opened; it is empty if any or
none will do.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

from nixpy.core.csv_table import bad_row, rows
from nixpy.needs.model import Certainty

DATA = Path(__file__).with_name("fingerprints.csv")

SONAME = re.compile(r"lib[A-Za-z0-9._+-]{1,80}\.so(?:\.[A-Za-z0-9]{1,20}){0,4}", re.ASCII)

_COLUMNS = ("component", "kind", "value", "string", "server", "note")
_MARKER = "marker"
_CERTAINTIES: dict[str, Certainty] = {"likely": "likely", "possible": "possible"}
_SERVERS = ("", "alsa", "jack", "pipewire", "pulseaudio", "sndio", "wayland", "x11")
_SHORTEST_MARKER = 10  # a shorter string is in other programs, too
_STEP = 1 << 22  # bytes that are searched at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A library that a component opens."""

    names: tuple[str, ...]
    certainty: Certainty
    string: str = ""
    server: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """The rows about one component."""

    component: str
    markers: tuple[str, ...]
    libraries: tuple[Opened, ...]

    @property
    def names(self) -> frozenset[str]:
        """All names that the component tries."""
        return frozenset(name for library in self.libraries for name in library.names)

    @property
    def composed(self) -> bool:
        """Whether a file may have the component without any of the names."""
        return all(library.string for library in self.libraries)

    def opens(self, text: bytes, found: Container[str]) -> Iterator[tuple[tuple[str, ...], Certainty]]:
        """Yield the libraries that a file with the component opens.

        `text` has its strings that may be sonames, `found` those of the table that it has.
        """
        for library in self.libraries:
            if names := _named(library.names, text):
                yield names, library.certainty
            elif library.string in found:
                yield library.names, library.certainty


def components(
    text: bytes, constants: Sequence[memoryview], *, composes: bool = False
) -> Iterator[tuple[Fingerprint, frozenset[str]]]:
    """Yield the components of a file, each with what the file has of the table.

    These are markers and other strings.

    Args:
        text: The strings of the file that may be sonames.
        constants: All its constants.
        composes: The file composes the names of libraries, as callers of Qt's QLibrary do.
    """
    # Most files with constants of many megabytes have no such component, so few strings are searched at first.
    named = [one for one in fingerprints() if (composes and one.composed) or _has_name(one, text)]
    first = _search(constants, {one.markers[0] for one in named})
    named = [one for one in named if one.markers[0] in first]
    others = {text for one in named for text in (*one.markers[1:], *(library.string for library in one.libraries))}
    found = first | _search(constants, others - {""})
    for one in named:
        if found.issuperset(one.markers):
            yield one, found


@cache
def fingerprints() -> tuple[Fingerprint, ...]:
    """Return all components."""
    return load(DATA)


def load(path: Path) -> tuple[Fingerprint, ...]:
    """Read a table strictly.

    Raises NixpyError, naming file and line, for an unknown column, kind or server, a short marker, a value that is not
    a soname, a name that a component has twice, a missing note, a component without markers or without libraries, and
    rows that are out of order or duplicated.
    """
    return tuple(
        _fingerprint(component, tuple(group), path)
        for component, group in groupby(rows(path, *_COLUMNS, keys=3), key=lambda row: row[1][0])
    )


def _fingerprint(component: str, group: Sequence[tuple[int, list[str]]], path: Path) -> Fingerprint:
    markers: list[str] = []
    libraries: list[Opened] = []
    for line, fields in group:
        _, kind, value, string, server, note = fields
        if not component or not note.strip():
            raise bad_row(path, line, "the component or the note is missing", "Say what it is and how it is known.")
        if server not in _SERVERS:
            raise bad_row(path, line, f"unknown server {server!r}", f"Use {', '.join(_SERVERS[1:])} or nothing.")
        if string and len(string) < _SHORTEST_MARKER:
            raise bad_row(path, line, f"{string!r} is too short", f"Write {_SHORTEST_MARKER} characters or more.")
        if kind == _MARKER:
            if len(value) < _SHORTEST_MARKER or server or string:
                raise bad_row(path, line, "not a marker", f"Write a string of {_SHORTEST_MARKER} characters or more.")
            markers.append(value)
        elif kind in _CERTAINTIES:
            names = _names(value, libraries, path, line)
            libraries.append(Opened(names=names, certainty=_CERTAINTIES[kind], string=string, server=server))
        else:
            raise bad_row(path, line, f"unknown kind {kind!r}", f"Use {', '.join((_MARKER, *_CERTAINTIES))}.")
    if not markers or not libraries:
        raise bad_row(path, group[0][0], f"{component} lacks markers or libraries", "Add the missing rows.")
    return Fingerprint(component=component, markers=tuple(markers), libraries=tuple(libraries))


def _names(value: str, others: Sequence[Opened], path: Path, line: int) -> tuple[str, ...]:
    names = tuple(value.split())
    for name in names:
        if not SONAME.fullmatch(name):
            raise bad_row(path, line, f"{name!r} is not a soname", "Write the bare name, such as libz.so.1.")
    taken = [*names, *(name for other in others for name in other.names)]
    if not names or len(set(taken)) < len(taken):
        raise bad_row(path, line, f"{value!r} has no name, or one that occurs twice", "Write each name once.")
    return names


def _search(constants: Iterable[memoryview], texts: Collection[str]) -> frozenset[str]:
    """Return the texts that are in the constants."""
    left = {text: text.encode() for text in texts}
    longest = max(map(len, left.values()), default=0)
    for constant in constants:
        for start in range(0, len(constant), _STEP):
            # `bytes` has a faster search than `re`, which reads memoryviews.
            piece = bytes(constant[start : start + _STEP + longest])
            for text in [text for text, sought in left.items() if sought in piece]:
                del left[text]
            if not left:
                break
    return frozenset(texts) - left.keys()


def _has_name(one: Fingerprint, text: bytes) -> bool:
    """Return whether a text has a name of the component, or a format of one.

    Such a format is `libGLX_%s.so.0`.
    """
    return any(
        _named(library.names, text) or (".so" in library.string and library.string.encode() in text)
        for library in one.libraries
    )


def _named(names: Iterable[str], text: bytes) -> tuple[str, ...]:
    """Return the names that a text has; strings of Rust have no NUL after them.

    A name may be the start of another one: libGL.so, libGL.so.1.
    """
    return tuple(name for name in names if _pattern(name).search(text))


@cache
def _pattern(name: str) -> re.Pattern[bytes]:
    return re.compile((re.escape(name) + r"(?![.0-9])").encode())
