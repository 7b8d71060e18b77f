"""Packages that `withPackages` leaves out without a word, found in a project's Nix files by reading them.

nixpkgs takes into an environment only what is built by buildPythonPackage (it has a `pythonModule`). Found is a package
that stands in the list of a `withPackages`, by the name it is bound to in that file or as its own expression, and is
built by buildPythonApplication or mkDerivation, there or in the file that `callPackage` names. Not found is what comes
by another way: an overlay, another flake, a list made elsewhere; Nix is not evaluated.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nixpy.core.read_file import read_lossy
from nixpy.doctor.facts import PackagesCall

_COMMENT = re.compile(r"#[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_BUILDER = re.compile(r"\b(buildPythonApplication|mkDerivation|buildPythonPackage)\b")
_BINDING = re.compile(r"(?<![\w.'-])([A-Za-z_][\w'-]*)\s*=(?!=)\s*")
_CALL = re.compile(r"callPackage\s+(\.{1,2}/[\w./+-]+)")
_WITH = re.compile(r"\bwithPackages\s*\(\s*([A-Za-z_][\w'-]*)\s*:")
_OPENING = re.compile(r"[{\[]")
_WORD = re.compile(r"[A-Za-z_][\w'.-]*")
# What makes a derivation a Python module all the same.
_MODULE = re.compile(r"\bpythonModule\b|\btoPythonModule\b")
_MOST = 200  # files


def applied(root: Path) -> tuple[PackagesCall, ...]:
    """Return the packages that no environment will hold, by file and line; OSError where a file cannot be read."""
    return tuple(found for path in _nix_files(root) for found in _in_file(path))


def _nix_files(root: Path) -> list[Path]:
    found: list[Path] = []
    for folder, folders, names in os.walk(root):
        # A folder that begins with a dot is a tool's, and so is what a result link leads to.
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "node_modules")
        found += (Path(folder, name) for name in sorted(names) if name.endswith(".nix"))
        if len(found) > _MOST:
            break
    return found[:_MOST]


def _in_file(path: Path) -> Iterator[PackagesCall]:
    text = _read(path)
    bound = dict(_bindings(text, path))
    for match in _WITH.finditer(text):
        start = text.find("[", match.end())
        if start < 0:
            continue
        for offset, item in _items(text, start):
            name = item.rpartition(".")[2] if _WORD.fullmatch(item) else ""
            # `ps.name` is the user's own only where an overlay in this file makes it so; the plain name always is.
            made = bound.get(name) if name else _made(text, offset, offset + len(item), path)
            if made:
                yield PackagesCall(
                    name=name or "a package",
                    builder=made.builder,
                    file=path,
                    line=_line(text, offset),
                    made_in=made.file,
                    made_at=made.line,
                )


@dataclass(frozen=True, slots=True)
class _Made:
    """How a package is built, if it is no Python module; the line is None where the file is about nothing else."""

    builder: str
    file: Path
    line: int | None


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def _read(path: Path) -> str:
    """Return the text with comments blanked out, so that lines stay."""
    text = read_lossy(path)
    return _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def _bindings(text: str, path: Path) -> Iterator[tuple[str, _Made]]:
    """Yield the names that are bound to a package of the wrong kind."""
    for match in _BINDING.finditer(text):
        made = _made(text, match.end(), _end(text, match.end()), path)
        if made:
            yield match[1], made


def _end(text: str, start: int) -> int:
    """Return where the semicolon is that ends a binding."""
    depth = 0
    for offset in range(start, len(text)):
        depth += (text[offset] in "({[") - (text[offset] in ")}]")
        if depth < 0 or (text[offset] == ";" and depth == 0):
            return offset
    return len(text)


def _made(text: str, start: int, end: int, path: Path) -> _Made | None:
    """Return what an expression begins with, also in the file it calls; None where it is a Python module's."""
    if _MODULE.search(text, start, end):
        return None
    opening = _OPENING.search(text, start + (text[start : start + 1] == "("), end)
    head = opening.start() if opening else end
    if builder := _BUILDER.search(text, start, head):
        wrong = builder[1] != "buildPythonPackage"
        return _Made(builder[1], path, _line(text, builder.start())) if wrong else None
    call = _CALL.search(text, start, head)
    file = path.parent / call[1] if call else path
    if call is None or not file.exists():
        return None
    file = file / "default.nix" if file.is_dir() else file
    body = _read(file)
    # Behind the arguments, which are named like what is called.
    builder = _BUILDER.search(body, body.find("}:") + 1)
    wrong = builder is not None and builder[1] != "buildPythonPackage" and not _MODULE.search(body)
    return _Made(builder[1], file, None) if builder and wrong else None


def _items(text: str, start: int) -> Iterator[tuple[int, str]]:
    """Yield each element of the list whose bracket is at `start`, with its offset."""
    offset = start + 1
    while offset < len(text) and text[offset] != "]":
        if text[offset] == "(":
            depth, end = 0, offset
            while end < len(text):
                depth += (text[end] in "({[") - (text[end] in ")}]")
                end += 1
                if depth == 0:
                    break
            yield offset, text[offset:end]
            offset = end
        elif word := _WORD.match(text, offset):
            yield offset, word[0]
            offset = word.end()
        else:
            offset += 1
