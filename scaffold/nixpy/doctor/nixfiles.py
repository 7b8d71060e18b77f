"""Find packages in a project's Nix files that `withPackages` leaves out silently.

nixpkgs adds to an environment only packages that buildPythonPackage builds (they have a `pythonModule`). nixpy finds a
package in the list of a `withPackages`, by its name in that file or as an expression, that buildPythonApplication or
mkDerivation builds, there or in the file that `callPackage` names. It does not evaluate Nix, so it does not find
packages from an overlay, another flake, or a list that is defined elsewhere.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nixpy.core import limits
from nixpy.core.read_file import exists, read_lossy
from nixpy.doctor.facts import PackagesCall
from nixpy.files.nix_sources import nix_files

_COMMENT = re.compile(r"#[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_BUILDER = re.compile(r"\b(buildPythonApplication|mkDerivation|buildPythonPackage)\b")
_BINDING = re.compile(r"(?<![\w.'-])([A-Za-z_][\w'-]*)\s*=(?!=)\s*")
_CALL = re.compile(r"callPackage\s+(\.{1,2}/[\w./+-]+)")
_WITH = re.compile(r"\bwithPackages\s*\(\s*([A-Za-z_][\w'-]*)\s*:")
_OPENING = re.compile(r"[{\[]")
_BRACKET = re.compile(r"[()\[\]{};]")
_WORD = re.compile(r"[A-Za-z_][\w'.-]*")
# Functions that make a derivation a Python module.
_MODULE = re.compile(r"\bpythonModule\b|\btoPythonModule\b")


def applied(root: Path) -> tuple[PackagesCall, ...]:
    """Return the packages that environments leave out, by file and line.

    Raises OSError if a file cannot be read.
    """
    return tuple(found for path in nix_files(root) for found in _in_file(path))


def _in_file(path: Path) -> Iterator[PackagesCall]:
    source = _Source(path)
    bound = dict(_bindings(source))
    seen: set[int] = set()
    for match in _WITH.finditer(source.text):
        start = source.text.find("[", match.end())
        if start < 0:
            return
        for offset, end in _items(source, start, seen):
            item = source.text[offset:end]
            name = item.rpartition(".")[2] if _WORD.fullmatch(item) else ""
            # `ps.name` is the user's own package only with an overlay in this file; the plain name always is.
            made = bound.get(name) if name else _made(source, offset, end)
            if made:
                yield PackagesCall(
                    name=name or "a package",
                    builder=made.builder,
                    file=path,
                    line=source.line(offset),
                    made_in=made.file,
                    made_at=made.line,
                )


@dataclass(frozen=True, slots=True)
class _Made:
    """How a package is built, if it is not a Python module.

    The line is None if the file has nothing else.
    """

    builder: str
    file: Path
    line: int | None


class _Source:
    """A Nix file with comments blanked out, so that lines stay.

    Its brackets and the places of each pattern are found once: expressions are nested, and searching each of them from
    its start would take quadratic time. A `level` is the text in one pair of brackets.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = _read(path)
        self.called: dict[str, _Made | None] = {}  # by the path as written
        self._lines = [match.start() for match in re.finditer("\n", self.text)]
        self._places: dict[re.Pattern[str], tuple[list[int], list[re.Match[str]]]] = {}
        self._brackets: list[int] = []
        self._levels: list[int] = []  # the level after each bracket; 0 is before the first one
        self._closed: dict[int, int] = {}  # the offset of the bracket that ends a level
        self._semicolons: dict[int, list[int]] = {}
        levels, count = [0], 0
        for match in _BRACKET.finditer(self.text):
            if match[0] == ";":
                self._semicolons.setdefault(levels[-1], []).append(match.start())
                continue
            if match[0] in ")}]":
                self._closed[levels.pop()] = match.start()
            if match[0] in "({[" or not levels:
                count += 1
                levels.append(count)
            self._brackets.append(match.start())
            self._levels.append(levels[-1])

    def line(self, offset: int) -> int:
        """Return the line of an offset, 1-based."""
        return bisect_left(self._lines, offset) + 1

    def first(self, pattern: re.Pattern[str], start: int, end: int) -> re.Match[str] | None:
        """Return the first match between two offsets."""
        if pattern not in self._places:
            matches = list(pattern.finditer(self.text))
            self._places[pattern] = [match.start() for match in matches], matches
        starts, matches = self._places[pattern]
        at = bisect_left(starts, start)
        return matches[at] if at < len(matches) and matches[at].end() <= end else None

    def end(self, start: int) -> int:
        """Return the offset of the end of a binding.

        It is a semicolon, or the bracket around the binding.
        """
        level = self._level(start)
        semicolons = self._semicolons.get(level, [])
        at = bisect_left(semicolons, start)
        closed = self._closed.get(level, len(self.text))
        return min(semicolons[at], closed) if at < len(semicolons) else closed

    def behind(self, bracket: int) -> int:
        """Return the offset after the text that the bracket at this offset opens."""
        return min(self._closed.get(self._level(bracket + 1), len(self.text)) + 1, len(self.text))

    def _level(self, offset: int) -> int:
        at = bisect_left(self._brackets, offset)
        return self._levels[at - 1] if at else 0


def _read(path: Path) -> str:
    """Return the text with comments blanked out, so that lines stay.

    An empty string for an absurdly large file.
    """
    text = read_lossy(path)
    if len(text) > limits.NIX_SIZE:
        return ""
    return _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def _bindings(source: _Source) -> Iterator[tuple[str, _Made]]:
    """Yield the names of packages that are not Python modules."""
    for match in _BINDING.finditer(source.text):
        made = _made(source, match.end(), source.end(match.end()))
        if made:
            yield match[1], made


def _made(source: _Source, start: int, end: int) -> _Made | None:
    """Return how an expression builds its package, also in the file it calls.

    Returns None for a Python module.
    """
    if source.first(_MODULE, start, end):
        return None
    opening = source.first(_OPENING, start + (source.text[start : start + 1] == "("), end)
    head = opening.start() if opening else end
    if builder := source.first(_BUILDER, start, head):
        wrong = builder[1] != "buildPythonPackage"
        return _Made(builder[1], source.path, source.line(builder.start())) if wrong else None
    call = source.first(_CALL, start, head)
    if call is None:
        return None
    if call[1] not in source.called:
        source.called[call[1]] = _called(source.path.parent / call[1])
    return source.called[call[1]]


def _called(file: Path) -> _Made | None:
    """Return how the file of a `callPackage` builds its package."""
    if not exists(file):
        return None
    file = file / "default.nix" if file.is_dir() else file
    body = _read(file)
    # After the arguments, which may have the same names as the functions.
    builder = _BUILDER.search(body, body.find("}:") + 1)
    wrong = builder is not None and builder[1] != "buildPythonPackage" and not _MODULE.search(body)
    return _Made(builder[1], file, None) if builder and wrong else None


def _items(source: _Source, start: int, seen: set[int]) -> Iterator[tuple[int, int]]:
    """Yield start and end of each element of the list with its bracket at `start`.

    Lists without an end overlap with others: elements in `seen` are not yielded again.
    """
    text, offset = source.text, start + 1
    while offset < len(text) and text[offset] != "]" and offset not in seen:
        seen.add(offset)
        if text[offset] == "(":
            end = source.behind(offset)
            yield offset, end
            offset = end
        elif word := _WORD.match(text, offset):
            yield offset, word.end()
            offset = word.end()
        else:
            offset += 1
