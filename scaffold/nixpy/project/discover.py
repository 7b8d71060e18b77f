"""Find the project of a folder, and the projects below a folder."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from nixpy.core import git, programs
from nixpy.core.errors import NixpyError, ProjectError
from nixpy.core.git import is_checkout
from nixpy.core.read_file import read_lossy, walk
from nixpy.core.text import shell_word
from nixpy.locks import formats
from nixpy.project import workspace
from nixpy.project.config import NIXPY_TOML, PYPROJECT
from nixpy.project.project import NIXPY_LOCK

SETUP_CFG = "setup.cfg"
_REQUIREMENTS = frozenset({"requirements.txt", "requirements.in"})
_FILES = (PYPROJECT, NIXPY_TOML, *sorted(_REQUIREMENTS), "setup.py", SETUP_CFG)
_DECLARING = _REQUIREMENTS | {"setup.py"}
_DEVELOPMENT = frozenset({"doc", "docs", "test", "tests"})  # usual names of folders with requirements of their own
_MOST = 2000  # folders to look into before an error; the home folder may have millions


def nearest_project(folder: Path) -> Path:
    """Return the folder of the project that `folder` belongs to.

    It is this folder if it has a project, else the nearest parent that nixpy manages, relative to the working folder,
    else this folder.
    """
    if is_project(folder):
        return folder
    above = next(filter(_is_managed, folder.resolve().parents), None)
    return Path(os.path.relpath(above)) if above else folder


def is_project(folder: Path) -> bool:
    """Return whether the folder has a file of a Python project."""
    return any((folder / name).exists() for name in (*_FILES, *(one.name for one in formats.FORMATS)))


def _is_managed(folder: Path) -> bool:
    if (folder / NIXPY_TOML).is_file() or (folder / NIXPY_LOCK).is_file():
        return True
    pyproject = folder / PYPROJECT
    return pyproject.is_file() and _has_settings(pyproject)


def find_projects(root: Path) -> tuple[Path, ...]:
    """Return the folders at and below `root` that have settings of nixpy, sorted.

    Hidden folders, environments and node_modules are skipped. Raises ProjectError if there is none: a check of no
    project must not succeed.
    """
    found = tuple(sorted(Path(name) for name, _, files in _walk(root) if _manages(Path(name), files)))
    if not found:
        raise ProjectError(
            "nixpy manages no project here or below", path=root, hint="Run `nixpy init --all` in a repository first."
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """The projects at and below a folder, sorted.

    Those in `managed` have settings of nixpy. `left_out` are the other folders with a file of a Python project, each
    with its kind in the plural. The search is not `complete` if it ended at its limit.
    """

    projects: tuple[Path, ...]
    managed: tuple[Path, ...]
    left_out: Mapping[Path, str]
    complete: bool = True


def survey(root: Path, most: int | None = None) -> Repository:
    """Find every project at and below `root`, also those without settings of nixpy.

    Hidden folders, environments, node_modules and folders that git ignores are skipped. Members of a uv workspace
    without settings of nixpy belong to the project at its root. With `most`, nixpy looks into that many folders only.
    """
    ignored = _ignored(root)
    projects: list[Path] = []
    managed: list[Path] = []
    left_out: dict[Path, str] = {}
    number = 0
    for number, (name, folders, files) in enumerate(islice(_walk(root), most), 1):  # noqa: B007
        folder = Path(name)
        folders[:] = [one for one in folders if (folder / one).resolve() not in ignored]
        if not _is_candidate(folder, files):
            continue
        is_managed = _manages(folder, files)
        if is_managed:
            managed.append(folder)
        if not is_managed and (top := workspace.above(folder)):
            place = next((str(one) for one in projects if one.resolve() == top), str(top))
            left_out[folder] = f"members of the uv workspace in {place}"
        elif _is_for_development(folder, root, files):
            left_out[folder] = "requirements for documentation or tests"
        else:
            projects.append(folder)
    return Repository(
        projects=tuple(sorted(projects)),
        managed=tuple(sorted(managed)),
        left_out=dict(sorted(left_out.items())),
        complete=number != most,
    )


def refuse_repository(root: Path, command: str) -> None:
    """Raise ProjectError for a folder without a project, if there are projects below.

    Args:
        root: The folder.
        command: The command of nixpy that the user ran, such as "check".
    """
    if not root.is_dir() or _is_candidate(root, [path.name for path in root.iterdir()]):
        return
    found = survey(root, _MOST)
    if not found.projects:
        return
    number = f"{len(found.projects)}{'' if found.complete else ' or more'}"
    projects = "1 project" if number == "1" else f"{number} projects"
    every = "check" if command == "doctor" else command
    if command == "init":
        hint, one = "Run `nixpy init --all`", found.projects[0]
    elif found.managed:
        hint, one = f"Run `nixpy {every} --all`", found.managed[0]
    else:
        hint, one = "Run `nixpy init --all` first", None
    raise ProjectError(
        f"no Python project in this folder, but {projects} below it",
        path=root,
        hint=f"{hint}, or `nixpy {command} {shell_word(os.path.relpath(one))}` for one project." if one else f"{hint}.",
    )


def declared_name(folder: Path) -> str | None:
    """Return the name of the project in its pyproject.toml, or None."""
    data = (_toml(folder / PYPROJECT) or {}) if (folder / PYPROJECT).is_file() else {}
    name = _table(data, "project").get("name") or _table(data, "tool", "poetry").get("name")
    return name if isinstance(name, str) and name.strip() else None


def _walk(root: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    for name, folders, files in walk(root):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = sorted(folder for folder in folders if not folder.startswith(".") and folder != "node_modules")
        yield name, folders, files


def _manages(folder: Path, files: Iterable[str]) -> bool:
    return NIXPY_TOML in files or (PYPROJECT in files and _has_settings(folder / PYPROJECT))


def _is_candidate(folder: Path, files: Collection[str]) -> bool:
    return _manages(folder, files) or _is_distribution(folder, files)


def _is_distribution(folder: Path, files: Iterable[str]) -> bool:
    """Return whether a folder has the files of a project.

    A pyproject.toml or setup.cfg with settings of other tools only is none.
    """
    if any(one.name in files for one in formats.FORMATS) or not _DECLARING.isdisjoint(files):
        return True
    if SETUP_CFG in files and re.search(r"(?m)^\[(metadata|options)\]", _text(folder / SETUP_CFG)):
        return True
    if PYPROJECT not in files:
        return False
    data = _toml(folder / PYPROJECT)
    return data is None or not {"project", "dependency-groups"}.isdisjoint(data) or _is_of_tool(data)


def _is_of_tool(data: Mapping[str, Any]) -> bool:
    return "poetry" in _table(data, "tool") or "workspace" in _table(data, "tool", "uv")


def _is_for_development(folder: Path, root: Path, files: Iterable[str]) -> bool:
    names = {*files} & {*_FILES, *(one.name for one in formats.FORMATS)}
    return names <= _REQUIREMENTS and not _DEVELOPMENT.isdisjoint(folder.relative_to(root).parts)


def _ignored(root: Path) -> frozenset[Path]:
    """Return the real paths of folders that git ignores; none without git."""
    if not is_checkout(root):
        return frozenset()
    try:
        listed = git.run(root, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory").stdout
    except (OSError, programs.SubprocessError):
        return frozenset()
    return frozenset((root / name).resolve() for name in listed.split("\0") if name.endswith("/"))


def _has_settings(path: Path) -> bool:
    """Return whether there is a [tool.nixpy].

    A damaged file counts, so that its error is reported.
    """
    if "nixpy" not in _text(path):
        return False
    data = _toml(path)
    return data is None or "nixpy" in _table(data, "tool")


def _text(path: Path) -> str:
    """Return the text of a file; a word that no file lacks if it cannot be read."""
    try:
        return read_lossy(path)
    except (NixpyError, OSError):
        return "nixpy"


def _toml(path: Path) -> dict[str, Any] | None:
    """Return the content of a TOML file, or None if it is damaged."""
    try:
        return tomllib.loads(read_lossy(path))
    except (NixpyError, OSError, ValueError, RecursionError):  # not TOML, a huge number, or nested too deeply
        return None


def _table(data: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    for key in keys:
        found = data.get(key)
        data = found if isinstance(found, dict) else {}
    return data
