"""Where Nix fetches wheels from, for styles that install by nixpy.lock: no address is written down for it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence

from packaging.utils import NormalizedName

from nixpy.lockfile import Wheel
from nixpy.locks.select import select
from nixpy.locks.uv import UvLock
from nixpy.problems import Problem
from nixpy.project import Project
from nixpy.target import Target
from nixpy.urls import split

_PYPI = "index.example"


def uv_lock(project: Project) -> str | None:
    """Return the path from the rendered file to uv.lock, where the project has it: Nix reads the addresses there."""
    if not isinstance(project.locked, UvLock):
        return None
    path = os.path.relpath(project.locked.path, project.rendered.parent)
    return path if path.startswith("../") else f"./{path}"


def astray(project: Project, targets: Sequence[Target]) -> set[NormalizedName]:
    """Return the packages whose wheels Nix does not find by their name and the lock: files, and indexes but PyPI's.

    Without a lock all are taken to be PyPI's; the hash keeps out what is not.
    """
    if project.locked is None:
        return set()
    any_index = isinstance(project.locked, UvLock)
    return {
        wheel.name
        for wheel in select(project.locked, targets, project.choice).wheels
        if wheel.file.path
        or any(wheel.file.indexes)
        or not (any_index or wheel.file.url is None or split(wheel.file.url).hostname == _PYPI)
    }


def problems(wheels: Iterable[Wheel], astray: Collection[NormalizedName]) -> Iterator[Problem]:
    """Yield NIX304 for each package whose wheel Nix cannot fetch: it has no hash, or is `astray`."""
    for name in sorted({wheel.name for wheel in wheels if wheel.sha256 is None or wheel.name in astray}):
        yield Problem(
            code="NIX304",
            package=name,
            message=f"Nix does not know where to fetch the wheel of {name}, or by which hash",
            hint="uv.lock tells of any index; of other locks Nix knows PyPI's wheels alone",
        )
