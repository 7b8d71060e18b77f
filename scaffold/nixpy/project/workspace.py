"""Find the members of a uv workspace on disk, and read what each declares.

The workspace itself, with its lock, is that of `Lock.members`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from nixpy.core.errors import NixpyError
from nixpy.core.toml_file import load_toml
from nixpy.project.config import PYPROJECT
from nixpy.project.dependencies import Dependencies


def table(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return `[tool.uv.workspace]` of a pyproject.toml, or None."""
    for key in ("tool", "uv", "workspace"):
        data = data.get(key)  # type: ignore[assignment]
        if not isinstance(data, dict):
            return None
    return data


def above(folder: Path) -> Path | None:
    """Return the folder of the workspace with the member `folder`, or None.

    Files that nixpy cannot read do not count.
    """
    folder = folder.resolve()
    for parent in folder.parents if (folder / PYPROJECT).is_file() else ():
        with suppress(NixpyError, OSError):
            pyproject = parent / PYPROJECT
            if pyproject.is_file() and (found := table(load_toml(pyproject))) is not None:
                return parent if folder in _matching(parent, found) else None
    return None


def folders(root: Path, data: Mapping[str, Any]) -> frozenset[Path]:
    """Return the folders of the members of the workspace in `root`.

    `data` is its pyproject.toml. If it has a project, the root is a member, too. uv finds the others by the patterns in
    `members` and `exclude`.
    """
    found = frozenset(_matching(root.resolve(), table(data) or {}))
    return found | {root.resolve()} if "project" in data else found


def declared(folder: Path) -> Dependencies:
    """Return the requirements in the pyproject.toml of a member.

    Raises ProjectError if they are not valid.
    """
    path = folder / PYPROJECT
    return Dependencies.from_pyproject(load_toml(path), path, locked=True)


def _matching(root: Path, found: Mapping[str, Any]) -> Iterator[Path]:
    excluded = [pattern.removeprefix("./").rstrip("/") for pattern in _strings(found.get("exclude"))]
    for pattern in _strings(found.get("members")):
        with suppress(ValueError, NotImplementedError):  # an absolute or empty pattern, which uv refuses
            for match in root.glob(pattern):
                path = Path(os.path.normpath(match))
                shown = os.path.relpath(path, root)
                if (path / PYPROJECT).is_file() and not any(fnmatchcase(shown, one) for one in excluded):
                    yield path


def _strings(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
