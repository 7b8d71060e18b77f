"""Where Nix fetches wheels from, for styles that install by nixpy.lock: no address is written down for it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence

from packaging.utils import NormalizedName

from nixpy.analysis.nixpylock import Wheel
from nixpy.core.target import Target
from nixpy.diagnostics.problem import Problem
from nixpy.locks.formats import of_uv
from nixpy.locks.select import select
from nixpy.project.project import Project


def uv_lock(project: Project) -> str | None:
    """Return the path from the rendered file to uv.lock, where the project has it: Nix reads the addresses there."""
    lock = of_uv(project.locked)
    if lock is None:
        return None
    path = os.path.relpath(lock.path, project.rendered.parent)
    return path if path.startswith("../") else f"./{path}"


def astray(project: Project, targets: Sequence[Target]) -> set[NormalizedName]:
    """Return the packages whose wheels Nix does not find by their name and the lock: files, and indexes but PyPI's.

    Without a lock all are taken to be PyPI's; the hash keeps out what is not.
    """
    if project.locked is None:
        return set()
    any_index = of_uv(project.locked) is not None
    return {
        wheel.name
        for wheel in select(project.locked, targets, project.choice).wheels
        if wheel.file.path or any(wheel.file.indexes) or not (any_index or wheel.file.url is None or wheel.file.of_pypi)
    }


def beside(project: Project, targets: Sequence[Target]) -> set[NormalizedName]:
    """Return the packages that the lock takes from folders: members of a workspace, and such that a path names."""
    if project.locked is None:
        return set()
    own = project.dependencies.name if project.dependencies else None
    found = (package for target in targets for package in project.locked.packages(target, project.choice))
    return {package.name for package in found if package.local and package.name != own}


def left_out(names: Collection[NormalizedName], style: str) -> Iterator[Problem]:
    """Yield NIX305 for each package `beside` the project, which no wheel and no nixpkgs has."""
    for name in sorted(names):
        yield Problem(
            code="NIX305",
            package=name,
            message=f"{name} is a folder beside the project, which style {style} does not build, so it is not there",
            hint="style uv2nix builds the members of a workspace, and those that fill .venv install them",
        )


def problems(wheels: Iterable[Wheel], astray: Collection[NormalizedName]) -> Iterator[Problem]:
    """Yield NIX304 for each package whose wheel Nix cannot fetch: it has no hash, or is `astray`."""
    for name in sorted({wheel.name for wheel in wheels if wheel.sha256 is None or wheel.name in astray}):
        yield Problem(
            code="NIX304",
            package=name,
            message=f"Nix does not know where to fetch the wheel of {name}, or by which hash",
            hint="uv.lock tells of any index; of other locks Nix knows PyPI's wheels alone",
        )
