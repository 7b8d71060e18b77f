"""Read which libraries an ELF file opens, from its notes and its strings.

Three things show them:

- The note `.note.dlopen`, which developers write for this purpose. Source: the UAPI Group's specification "ELF dlopen
  metadata".
- The strings of a component that `fingerprints.csv` describes, such as SDL or GLFW.
- Other strings that are sonames, in a file that imports `dlopen`. Most machines lack most of these, and the file works.

Qt's class QLibrary opens libraries, too. It composes the name from one such as `ssl` and a version.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from mmap import mmap
from typing import NamedTuple

from nixpy.core.limits import parse_json
from nixpy.needs.elf_contents import Contents
from nixpy.needs.fingerprints import SONAME, components
from nixpy.needs.glibc import is_glibc
from nixpy.needs.model import Certainty, Evidence, RuntimeOpen

_SYSTEMS = {62: "x86_64-linux", 183: "aarch64-linux"}  # by e_machine

_OWNER, _TYPE = b"FDO", 0x407C0C0A
_PRIORITIES: dict[str, Certainty] = {"required": "likely", "recommended": "likely", "suggested": "possible"}

_OPENERS = (b"dlopen", b"dlmopen")
_QLIBRARY = b"8QLibraryC"  # the constructor of Qt's class, in whatever namespace Qt is
_SUFFIX = re.compile(rb"\.so")
_LONGEST_NAME = 80  # bytes before and after `.so`

# Far more than any real file has. Without these limits, a hostile file may take all memory.
_MOST_NOTE_BYTES = 1 << 20
_MOST_OPENS = 1 << 9
_MOST_SUFFIXES = 1 << 14


class _Open(NamedTuple):
    """A library, and how certain it is that the file opens it."""

    names: tuple[str, ...]
    evidence: Evidence
    certainty: Certainty


def read_opens(data: bytes | bytearray | memoryview | mmap, machine: int, path: str) -> tuple[RuntimeOpen, ...]:
    """Return the libraries that the ELF file in `data` opens at run time.

    Args:
        data: The bytes of the file.
        machine: Its e_machine.
        path: Its path in the wheel; only recorded.

    Returns:
        The libraries, sorted by their names. Where several things show a library, the most certain one counts, and of
        these the note. Libraries of glibc are left out; those that the same wheel supplies are not. The result is empty
        for damaged files and for machines other than x86-64 and AArch64. Never raises, whatever the bytes.

    Example:
        The libSDL2 of pygame opens `libX11.so.6` (likely, strings) and `libsamplerate.so.0` (possible, strings).
    """
    if machine not in _SYSTEMS:
        return ()
    with memoryview(data) as view:
        contents = Contents(view)
        noted = _noted(contents.notes(_OWNER, _TYPE))
        composes = contents.imports_with(_QLIBRARY)
        opener = composes or contents.imports(_OPENERS)
        shown = _from_strings(tuple(contents.constants()), composes=composes) if opener else ()
        opens = _merge(noted, shown)
    return tuple(
        RuntimeOpen(
            names=one.names,
            evidence=one.evidence,
            certainty=one.certainty,
            path=path,
            systems=(_SYSTEMS[machine],),
        )
        for one in sorted(opens)
    )


def _merge(noted: Iterable[_Open], shown: Iterable[_Open]) -> Iterable[_Open]:
    """Return the libraries of notes and strings, without those that repeat others.

    Two components may try some names in common: GLFW needs libGLX or libGL, and a loader for OpenGL libGL itself. Both
    remain. A note lists all names of a library, so a component adds only that the library is likely.
    """
    found: dict[tuple[str, ...], _Open] = {}
    by_name: dict[str, tuple[str, ...]] = {}
    for one in (*noted, *sorted(shown, key=lambda one: one.certainty)):  # likely ones first
        known = next((by_name[name] for name in one.names if name in by_name), None)
        old = found.get(one.names) or (found[known] if known and found[known].evidence == "note" else None)
        if old is not None:
            if (old.certainty, one.certainty) == ("possible", "likely"):
                found[old.names] = one._replace(names=old.names)
        elif known is None or one.certainty == "likely":
            if len(found) == _MOST_OPENS:
                break
            if not any(map(is_glibc, one.names)):
                found[one.names] = one
                by_name.update(dict.fromkeys(one.names, one.names))
    return found.values()


def _noted(notes: Iterable[bytes]) -> Iterator[_Open]:
    """Yield the entries of the notes, without those that break the specification."""
    left = _MOST_NOTE_BYTES
    for note in notes:
        left -= len(note)
        if left < 0:
            return
        try:
            entries = parse_json(note.partition(b"\0")[0])
        except ValueError:
            continue
        for entry in entries if isinstance(entries, list) else ():
            names = entry.get("soname") if isinstance(entry, dict) else None
            if isinstance(names, list) and names and all(isinstance(n, str) and SONAME.fullmatch(n) for n in names):
                # The specification: without a priority it is recommended.
                certainty = _PRIORITIES.get(str(entry.get("priority")), "likely")
                yield _Open(tuple(dict.fromkeys(names)), "note", certainty)


def _from_strings(constants: Sequence[memoryview], *, composes: bool) -> Iterator[_Open]:
    """Yield the libraries of the components in a file, then its other sonames.

    If the file composes the names of libraries, components may be in it that have none of them as a string.
    """
    places = tuple(islice(_places(constants), _MOST_SUFFIXES))
    text = b"\n".join(before + after for before, after in places)
    left = {name for before, after in places if (name := _soname(before, after))}
    for component, found in components(text, constants, composes=composes):
        for names, certainty in component.opens(text, found):
            yield _Open(names, "strings", certainty)
        left.difference_update(component.names)
    for name in sorted(left):
        yield _Open((name,), "strings", "possible")


def _places(constants: Iterable[memoryview]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the bytes before each `.so`, and those from it on.

    They are as many as a soname may have.
    """
    for constant in constants:
        for match in _SUFFIX.finditer(constant):
            place = match.start()
            yield bytes(constant[max(place - _LONGEST_NAME, 0) : place]), bytes(constant[place : place + _LONGEST_NAME])


def _soname(before: bytes, after: bytes) -> str | None:
    """Return the string across `before` and `after`, if all of it is a soname."""
    _, start, first = before.rpartition(b"\0")
    last, end, _ = after.partition(b"\0")
    if not end or (not start and len(before) == _LONGEST_NAME):
        return None
    text = (first + last).decode("ascii", "replace")
    return text if SONAME.fullmatch(text) else None
