"""Read dynamic dependencies that pyproject.toml takes from requirements files.

setuptools reads them as `[tool.setuptools.dynamic]` says, and hatchling with the plugin hatch-requirements-txt. Both
read one requirement a line, with comments, and no options of pip.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from nixpy.core.errors import NixpyError
from nixpy.core.toml_file import read_text

_SETUPTOOLS = ("tool", "setuptools", "dynamic")
_HATCH = ("tool", "hatch", "metadata", "hooks", "requirements_txt")
_COMMENT = re.compile(r"(^|\s)#.*")


def dependencies(data: Mapping[str, Any], root: Path) -> tuple[Requirement, ...] | None:
    """Return the dynamic dependencies of the project in the folder `root`.

    `data` is its pyproject.toml. Returns None if they are not in files, or a file cannot be read as such.
    """
    return _read(root, _named(_at(data, *_SETUPTOOLS, "dependencies"), _at(data, *_HATCH)))


def optional(data: Mapping[str, Any], root: Path) -> dict[str, tuple[Requirement, ...]] | None:
    """Return the requirements of each dynamic extra, like `dependencies`."""
    extras = {**_table(_at(data, *_SETUPTOOLS, "optional-dependencies"))}
    extras |= {name: {"files": one} for name, one in _table(_at(data, *_HATCH, "optional-dependencies")).items()}
    found = {name: wanted for name, one in extras.items() if (wanted := _read(root, _named(one, one))) is not None}
    return found if extras and found.keys() == extras.keys() else None


def _named(setuptools: Any, hatch: Any) -> list[str]:
    """Return the names of the files in the table of either tool."""
    names: list[Any] = []
    for value in (_table(setuptools).get("file"), _table(hatch).get("filename"), _table(hatch).get("files")):
        names += value if isinstance(value, list) else [] if value is None else [value]
    return names if all(isinstance(name, str) for name in names) else []


def _read(root: Path, names: list[str]) -> tuple[Requirement, ...] | None:
    try:
        return tuple(one for name in names for one in _requirements(read_text(root / name))) if names else None
    except (InvalidRequirement, NixpyError, OSError):
        return None


def _requirements(text: str) -> Iterator[Requirement]:
    for line in text.replace("\\\n", "").splitlines():
        if requirement := _COMMENT.sub("", line).strip():
            yield Requirement(requirement)


def _at(data: Any, *keys: str) -> Any:
    for key in keys:
        data = _table(data).get(key)
    return data


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
