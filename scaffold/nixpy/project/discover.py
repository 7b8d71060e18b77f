"""Which projects below a folder are nixpy's: for one check of a repository that holds several."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

from nixpy.core.errors import NixpyError, ProjectError
from nixpy.core.read_file import read_lossy, walk
from nixpy.project.config import NIXPY_TOML, PYPROJECT


def find_projects(root: Path) -> tuple[Path, ...]:
    """Return the folders at and below `root` that have settings of nixpy, sorted.

    Hidden folders, environments and node_modules are passed by. Raises ProjectError where there is none: a check that
    looked at nothing must not pass.
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
    """Tell whether there is a [tool.nixpy]; a damaged file may have one, and so its error is not passed over."""
    try:
        text = read_lossy(path)
        if "nixpy" not in text:
            return False
        tool = tomllib.loads(text).get("tool", {})
    except (NixpyError, OSError, ValueError, RecursionError):  # it is no TOML, has a huge number, or is nested too deep
        return True
    return isinstance(tool, dict) and "nixpy" in tool
