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

from nixpy.core.read_file import is_file, is_folder, read_lossy
from nixpy.core.text import shell_word
from nixpy.diagnostics.diagnostic import Diagnostic, shorten
from nixpy.files import flake_imports
from nixpy.files.nix_sources import absolute
from nixpy.project import flake, managers
from nixpy.project.project import NIXPY_LOCK, Project

NAME = ".envrc"
_USE = re.compile(r"\s*use[ _](flake|nix)\b")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
_LOAD = re.compile(r"""(?:^|[;&|]|\b(?:then|else|do)\s)\s*use[ _](?P<what>flake|nix|devenv)\b(?P<rest>[^;&|\n]*)""")
# These may load anything: other files, and programs of Nix.
_OTHER = re.compile(
    r"(?:^|[;&|]|\b(?:then|else|do)\s)\s*"
    r"(?:(?:source|source_env\w*|\.|eval|direnv_load|nix)\s(?!.{0,99}devenv direnvrc)|source_up"
    r"|use[ _](?!(?:asdf|devbox|guix|julia|mise|node|rbenv|rtx|vim)\b))"
)


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


def loaded(path: Path) -> frozenset[Path] | None:
    """Return the Nix files from which the .envrc at `path` loads a shell.

    Returns None if that is uncertain.

    direnv's `use flake` reads the flake.nix of a folder or of one above it, `use nix` reads shell.nix or default.nix,
    and `use devenv` devenv.nix. An .envrc that sources other files, or names a flake elsewhere, is uncertain.
    """
    try:
        return frozenset(map(absolute, _loaded(path)))
    except (OSError, ValueError):  # a quote that another line closes; a name that no file can have
        return None


def _loaded(path: Path) -> Iterator[Path]:
    """Yield the files; ValueError if they are uncertain."""
    root = path.parent
    for line in read_lossy(path).replace("\\\n", " ").splitlines():
        code = _COMMENT.sub("", line)
        for match in _LOAD.finditer(code):
            words = shlex.split(match["rest"])
            named = words[0] if words and not words[0].startswith("-") else "."
            if match["what"] == "flake":
                named = named.partition("#")[0].partition("?")[0].removeprefix("path:")
            if {"$", "`", ":"} & set(named):
                raise ValueError(named)
            if match["what"] == "devenv":
                yield root / flake_imports.DEVENV
            elif match["what"] == "flake":
                yield flake.nearest_flake(root / named) or root / named / flake_imports.FLAKE
            elif not {"-p", "--packages"} & set(words):
                folder = root / named
                shell = folder / flake_imports.SHELL
                default = shell if is_file(shell) else folder / flake_imports.DEFAULT
                yield default if is_folder(folder) else folder
        if _OTHER.search(_LOAD.sub("", code)):
            raise ValueError(line)


def enters(project: Project, entry: Path | None = None) -> bool:
    """Return whether the .envrc of a project, which exists, may enter nixpy's shell.

    `entry` is the file that leads to the generated file, or that will as soon as the user adds the lines.
    """
    found = loaded(project.root / NAME)
    return found is None or any(
        (entry is not None and file == absolute(entry)) or flake_imports.leads(file, project) for file in found
    )


def entry_missed(project: Project) -> Path | None:
    """Return the file with the shell that the project's .envrc does not enter.

    Returns None if the .envrc enters nixpy's shell, and if there is no .envrc or no such shell.
    """
    found = (one for one in flake_imports.entries(project.root) if flake_imports.leads(one, project))
    entry = next(found, None)
    return entry if entry and is_file(project.root / NAME) and not enters(project) else None


def command(entry: Path) -> str:
    """Return the command that adds the line for the shell of `entry` to an .envrc."""
    use = {flake_imports.FLAKE: "flake", flake_imports.DEVENV: "devenv"}.get(entry.name, "nix")
    return f"echo 'use {use}' >> {NAME}"


def not_entering(project: Project) -> Iterator[Diagnostic]:
    """Yield NIX221 if the project has an .envrc that does not enter nixpy's shell."""
    if entry := entry_missed(project):
        yield Diagnostic(
            code="NIX221",
            message=f"{NAME} does not enter the shell of nixpy, which is in {entry.name}",
            hint=f"Run `{command(entry)}`, then `direnv allow`.",
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
