"""Find the addresses of wheels for styles that install from nixpy.lock.

That file has no addresses.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from packaging.utils import NormalizedName, canonicalize_name

from nixpy.analysis.nixpylock import Wheel
from nixpy.core.errors import NixpyError
from nixpy.core.target import Target
from nixpy.core.toml_file import load_toml
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.locks import formats
from nixpy.locks.select import select
from nixpy.project.config import PYPROJECT
from nixpy.project.dependencies import Dependencies
from nixpy.project.project import Project, holding
from nixpy.styles import styles


def lock_with_addresses(project: Project) -> str | None:
    """Return the path to the lock if Nix reads addresses of wheels in it.

    It is relative to the generated file. Returns None if Nix does not read the lock.
    """
    lock_format = formats.format_of(project.lock)
    if project.lock is None or not (lock_format and lock_format.addresses):
        return None
    path = os.path.relpath(project.lock, project.rendered.parent)
    return path if path.startswith("../") else f"./{path}"


def without_url(project: Project, targets: Sequence[Target]) -> set[NormalizedName]:
    """Return the packages with wheels that Nix cannot find by name.

    These are local files, and those on indexes other than PyPI.

    Without a lock, all are assumed to be on PyPI; the hash excludes other files.
    """
    if project.locked is None:
        return set()
    any_index = lock_with_addresses(project) is not None
    return {
        wheel.name
        for wheel in select(project.locked, targets, project.extras_and_groups).wheels
        if wheel.file.path or any(wheel.file.indexes) or not (any_index or wheel.file.url is None or wheel.file.of_pypi)
    }


def local_packages(project: Project, targets: Sequence[Target]) -> dict[NormalizedName, Path | None]:
    """Return the packages from folders, with these.

    They are members of a workspace, and packages by path.
    """
    if project.locked is None:
        return dict(_required_folders(project))
    project_name = project.dependencies.name if project.dependencies else None
    found = (package for target in targets for package in project.locked.packages(target, project.extras_and_groups))
    return {
        package.name: package.folder
        for package in found
        if (package.local or package.folder) and package.name != project_name
    }


def _required_folders(project: Project) -> Iterator[tuple[NormalizedName, Path]]:
    """Yield the packages in folders that requirements files name."""
    for line in (line for file in project.requirements_files for line in file.requirements):
        folder = line.local if line.local and line.local.is_dir() else None
        declared = _declared(folder) if folder else None
        name = line.requirement.name if line.requirement else declared.name if declared else None
        if folder and name:
            yield canonicalize_name(name), folder


def required_by(folders: Iterable[Path | None], targets: Sequence[Target]) -> set[NormalizedName]:
    """Return the packages that the pyproject.toml of folders declares."""
    found = [declared.dependencies for folder in folders if folder and (declared := _declared(folder))]
    return {canonicalize_name(one.name) for lines in found for one in holding(lines, targets)}


def _declared(folder: Path) -> Dependencies | None:
    path = folder / PYPROJECT
    with suppress(NixpyError):
        data = load_toml(path)
        return Dependencies.from_pyproject(data, path, locked=True) if "project" in data else None
    return None


def local_package_diagnostics(names: Collection[NormalizedName], style: str) -> Iterator[Diagnostic]:
    """Yield NIX305 for each package of `local_packages`.

    Such a package has no wheel, and a package of that name in nixpkgs is another one.
    """
    building = styles.names(lambda other: other.builds_sources and not other.folder)
    for name in sorted(names):
        yield Diagnostic(
            code="NIX305",
            package=name,
            message=f"{name} is a local folder that style {style} does not build, so it is missing",
            hint=f"Choose style {building}, which builds local folders.",
        )


def diagnostics(wheels: Iterable[Wheel], without_url: Collection[NormalizedName]) -> Iterator[Diagnostic]:
    """Yield NIX304 for each package with a wheel that Nix cannot fetch.

    The wheel has no hash, or the package is in `without_url`.
    """
    names = " and ".join(one.name for one in formats.FORMATS if one.addresses)
    for name in sorted({wheel.name for wheel in wheels if wheel.sha256 is None or wheel.name in without_url}):
        yield Diagnostic(
            code="NIX304",
            package=name,
            message=f"the lock has no address or no hash of the wheel of {name}, so Nix cannot download it",
            hint=f"Use {names}, which has addresses for every index; with other locks, Nix downloads wheels "
            "only from PyPI.",
        )
