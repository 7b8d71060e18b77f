"""Find out whether the user's flake.nix or shell.nix leads to the generated file.

An entry leads to it if it imports the file, or if a Nix file that it names does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from nixpy.core.read_file import is_file, read_lossy
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.files import shell_lines
from nixpy.files.nix_sources import NixSource, absolute, read_sources
from nixpy.files.reconcile import State, own_state
from nixpy.project import flake
from nixpy.project.project import Project

FLAKE, SHELL, DEFAULT, DEVENV = "flake.nix", "shell.nix", "default.nix", "devenv.nix"
_IMPORT = re.compile(r"\./([A-Za-z0-9._+/-]{1,255}\.nix)")


def imports(entry: Path, file: str) -> bool:
    """Return whether a flake.nix or shell.nix itself imports the generated `file`.

    The path is relative to its own folder.
    """
    entry = absolute(entry)
    return NixSource(entry, read_lossy(entry)).names(Path(os.path.normpath(entry.parent / file)))


def leads(entry: Path, project: Project) -> bool:
    """Return whether `entry` imports the generated file of the project.

    The import may be in a file that `entry` names, in turn.
    """
    file = absolute(project.rendered)
    return any(source.names(file) for source in read_sources(entry, without=file))


def entries(root: Path) -> tuple[Path, ...]:
    """Return the Nix files that define shells in `root`.

    The flake.nix may be in a folder above, in the same git repository.
    """
    above = flake.nearest_flake(root)
    here = tuple(path for name in (FLAKE, SHELL, DEFAULT, DEVENV) if is_file(path := root / name))
    return here if above is None or root / FLAKE in here else (*here, above)


def unused(project: Project) -> Iterator[Diagnostic]:
    """Yield NIX220 if no file that Nix starts from leads to the generated file."""
    found = entries(project.root)
    if not found or any(leads(entry, project) for entry in found):
        return
    if any(left_behind(project.root, project.settings.file)):
        return  # it imports the file at its old place, which is another diagnostic
    entry, name = found[0], os.path.relpath(found[0], project.root)
    place = shell_lines.place(entry, project)
    yield Diagnostic(
        code="NIX220",
        message=f"nixpy found no import of {project.settings.file} in {name} or the files it names, so the shell of "
        f"{name} has neither the Python nor the libraries",
        hint=f"Add `{place.line}` to {place.where}." if place.found else "Add the lines that `nixpy init` prints.",
    )


def left_behind(root: Path, file: str) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each import of an earlier generated file.

    nixpy looks at flake.nix and shell.nix in `root`.
    """
    for entry in (root / FLAKE, root / SHELL):
        if not entry.is_file() or imports(entry, file):
            continue
        named = dict.fromkeys(_IMPORT.findall(NixSource(entry, read_lossy(entry)).text))
        for other in (name for name in named if own_state(root / name) not in (State.MISSING, State.FOREIGN)):
            yield Diagnostic(
                code="NIX205",
                message=f"{entry.name} imports ./{other}, but the generated file is {file}",
                hint=f"Write ./{file} in {entry.name}, and remove the old file and its nixpy.lock.",
            )
