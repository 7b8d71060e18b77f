"""Find the projects with settings of nixpy below a folder.

So one run can check a repository that has several.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

from nixpy.core.errors import NixpyError, ProjectError
from nixpy.core.read_file import read_lossy, walk
from nixpy.project.config import NIXPY_TOML, PYPROJECT


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
