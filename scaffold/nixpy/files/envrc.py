"""Check the user's .envrc, which `init --direnv` writes once.

nixpy computes the files that it must watch, and whether it does.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path, PurePosixPath

from nixpy.core.read_file import read_lossy
from nixpy.core.text import shell_word
from nixpy.diagnostics.diagnostic import Diagnostic, shorten
from nixpy.project import managers
from nixpy.project.project import NIXPY_LOCK, Project

NAME = ".envrc"
_USE = re.compile(r"\s*use[ _](flake|nix)\b")


def read(project: Project) -> tuple[str, ...]:
    """Return the files, besides the flake, that the shell is built from.

    Relative to the project.
    """
    generated = (managers.relative(project, path) for path in (project.rendered, project.nixpy_lock_path))
    return tuple(dict.fromkeys((*generated, *managers.files(project))))


def unwatched(project: Project) -> Iterator[Diagnostic]:
    """Yield NIX208 if an .envrc does not watch all files of the shell.

    Only an .envrc that watches a nixpy.lock counts.

    Only lines before `use` count: nix-direnv compares its cache with the files that are watched at that point. A name
    may be a pattern. nixpy sees a `watch_file` only on its own line, and only names that bash need not compute.
    """
    watched = _watched(project.root / NAME)
    lacking = [
        name
        for name in read(project)
        if not watched & {name, *_names(f"watch_file {shell_word(name)}")}
        and not any(fnmatchcase(name, pattern) for pattern in watched)
    ]
    if lacking and any(PurePosixPath(pattern).name == NIXPY_LOCK for pattern in watched):
        yield Diagnostic(
            code="NIX208",
            message=f"{NAME} does not watch {shorten(lacking)}, so direnv does not notice when it changes",
            hint=f"Write `watch_file {shlex.join(lacking)}` in {NAME}, before `use`.",
        )


def _watched(path: Path) -> set[str]:
    try:
        lines = read_lossy(path).replace("\\\n", " ").splitlines()
    except FileNotFoundError:
        return set()
    before = takewhile(lambda line: not _USE.match(line), lines)
    return {name for line in before for name in _names(line)}


def _names(line: str) -> list[str]:
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # a quote that another line closes
        return []
    return [word.removeprefix("./") for word in words[1:]] if words[:1] == ["watch_file"] else []
