"""Find the project of a folder, and the projects below a folder."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

from nixpy.core.errors import NixpyError, ProjectError
from nixpy.core.read_file import read_lossy, walk
from nixpy.locks import formats
from nixpy.project.config import NIXPY_TOML, PYPROJECT
from nixpy.project.project import NIXPY_LOCK

_FILES = (PYPROJECT, NIXPY_TOML, "requirements.txt", "requirements.in", "setup.py", "setup.cfg")


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
    found = tuple(sorted(_find_projects(root)))
    if not found:
        raise ProjectError(
            "nixpy manages no project here or below", path=root, hint="Run `nixpy init` in a project first."
        )
    return found


def _find_projects(root: Path) -> Iterator[Path]:
    for name, folders, files in walk(root):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = [folder for folder in folders if not folder.startswith(".") and folder != "node_modules"]
        if NIXPY_TOML in files or (PYPROJECT in files and _has_settings(Path(name, PYPROJECT))):
            yield Path(name)


def _has_settings(path: Path) -> bool:
    """Return whether there is a [tool.nixpy].

    A damaged file counts, so that its error is reported.
    """
    try:
        text = read_lossy(path)
        if "nixpy" not in text:
            return False
        tool = tomllib.loads(text).get("tool", {})
    except (
        NixpyError,
        OSError,
        ValueError,
        RecursionError,
    ):  # it is not TOML, has a huge number, or is nested too deeply
        return True
    return isinstance(tool, dict) and "nixpy" in tool
