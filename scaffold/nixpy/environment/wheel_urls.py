"""Where Nix fetches wheels from, for styles that install by nixpy.lock, which has no addresses."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence

from packaging.utils import NormalizedName

from nixpy.analysis.nixpylock import Wheel
from nixpy.core.target import Target
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.locks import formats
from nixpy.locks.select import select
from nixpy.project.project import Project
from nixpy.styles import styles


def lock_with_addresses(project: Project) -> str | None:
    """Return the path from the rendered file to the lock, where Nix reads the address of each wheel there."""
    lock_format = formats.format_of(project.lock)
    if project.lock is None or not (lock_format and lock_format.addresses):
        return None
    path = os.path.relpath(project.lock, project.rendered.parent)
    return path if path.startswith("../") else f"./{path}"


def without_url(project: Project, targets: Sequence[Target]) -> set[NormalizedName]:
    """Return the packages whose wheels Nix cannot find by name and lock: local files, and indexes other than PyPI.

    Without a lock all are taken to be PyPI's; the hash keeps out what is not.
    """
    if project.locked is None:
        return set()
    any_index = lock_with_addresses(project) is not None
    return {
        wheel.name
        for wheel in select(project.locked, targets, project.extras_and_groups).wheels
        if wheel.file.path or any(wheel.file.indexes) or not (any_index or wheel.file.url is None or wheel.file.of_pypi)
    }


def local_packages(project: Project, targets: Sequence[Target]) -> set[NormalizedName]:
    """Return the packages that the lock takes from folders: members of a workspace, and packages by path."""
    if project.locked is None:
        return set()
    project_name = project.dependencies.name if project.dependencies else None
    found = (package for target in targets for package in project.locked.packages(target, project.extras_and_groups))
    return {package.name for package in found if package.local and package.name != project_name}


def local_package_diagnostics(names: Collection[NormalizedName], style: str) -> Iterator[Diagnostic]:
    """Yield NIX305 for each package of `local_packages`, which no wheel and no nixpkgs has."""
    building = styles.names(lambda other: other.builds_sources and not other.folder)
    for name in sorted(names):
        yield Diagnostic(
            code="NIX305",
            package=name,
            message=f"{name} is a local folder that style {style} does not build, so it is missing",
            hint=f"Choose style {building}, which builds the members of a workspace.",
        )


def diagnostics(wheels: Iterable[Wheel], without_url: Collection[NormalizedName]) -> Iterator[Diagnostic]:
    """Yield NIX304 for each package whose wheel Nix cannot fetch: it has no hash, or is in `without_url`."""
    names = " and ".join(one.name for one in formats.FORMATS if one.addresses)
    for name in sorted({wheel.name for wheel in wheels if wheel.sha256 is None or wheel.name in without_url}):
        yield Diagnostic(
            code="NIX304",
            package=name,
            message=f"the lock has no address or no hash of the wheel of {name}, so Nix cannot download it",
            hint=f"Use {names}, which has addresses for every index; with other locks, Nix downloads wheels "
            "only from PyPI.",
        )
