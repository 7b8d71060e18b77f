"""Assemble the environment of a project from its options and nixpy.lock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import NormalizedName

from nixpy.analysis.nixpylock import NixpyLock, on_linux, wheel_needs
from nixpy.core.target import LINUX_SYSTEMS, Target
from nixpy.diagnostics.diagnostic import order
from nixpy.environment import compatibility, lang2nix, python_set, wheel_urls
from nixpy.environment.model import Environment
from nixpy.environment.options import ResolvedOptions
from nixpy.environment.overrides import overrides
from nixpy.environment.programs import programs
from nixpy.environment.python_set import PythonSet
from nixpy.libraries.match import Library, match
from nixpy.libraries.notes import notes
from nixpy.project import managers
from nixpy.project.project import Project
from nixpy.styles import features, styles
from nixpy.styles.styles import Style

if TYPE_CHECKING:
    from nixpy.environment.own_package import OwnPackage
    from nixpy.external.build_inputs import BuildInputs


def environment_of(project: Project, resolved: ResolvedOptions, nixpy_lock: NixpyLock) -> Environment:
    """Return the environment for `nixpy_lock`.

    It supplies the libraries of wheels and of `[external]`.
    """
    assert resolved.style is not None  # noqa: S101  (chosen before)
    style, targets, settings = styles.find(resolved.style), resolved.targets(), project.settings
    external = _external(project, style, targets, nixpy_lock)
    asking = [*wheel_needs(nixpy_lock.wheels, nixpy_lock.unavailable), *(external.libraries if external else ())]
    entries = external.entries if external else {}
    libraries, unsupplied = match(asking, settings.libraries, nixpy_lock.systems, entries, nixpy_lock.imported)
    listed = external.opened if external else frozenset()
    external_opened = tuple(item.soname for item in libraries if item.soname in listed and item.provider == "nixpkgs")
    # Folders next to the project, and the addresses of wheels, matter only to styles that install from nixpy.lock.
    local_packages = wheel_urls.local_packages(project, targets) if style.all_wheels else {}
    packages = _packages(project, style, targets, nixpy_lock, local_packages)
    package = _own_package(project, style, targets)
    lang2nix_facts = lang2nix.facts(project, style, targets)
    active = features.select(settings.features, style.name)
    repositories = {item.name for item in nixpy_lock.unavailable if item.source == "repository"}
    started = programs(nixpy_lock.wheels, style, active, settings.packages)
    found = [
        *unsupplied,
        *(python_set.diagnostics(packages, started.substitutes, repositories) if packages else ()),
        *(external.diagnostics if external else ()),
        *(() if style.from_nixpkgs else notes(libraries, on_linux(nixpy_lock.wheels, nixpy_lock.unavailable))),
        *compatibility.diagnostics(nixpy_lock, libraries, style, active, resolved.nixpkgs),
        *compatibility.unopened(external_opened, style),
        *started.diagnostics(style, resolved.required_systems),
        *(package.diagnostics(application=style.builds == "always") if package else ()),
    ]
    if style.all_wheels:
        fetched = [wheel for wheel in nixpy_lock.wheels if packages is None or wheel.name in packages.wheels]
        found += wheel_urls.diagnostics(fetched, wheel_urls.without_url(project, targets))
        found += wheel_urls.local_package_diagnostics(local_packages, style.name)
    return Environment(
        style=style,
        nixpkgs=resolved.nixpkgs,
        settings=settings,
        nixpy_lock=nixpy_lock,
        libraries=libraries,
        opened=tuple(sorted(set(_opened(libraries, listed)))),
        packages=packages,
        requirements=project.direct_requirement_lines(targets) if style.all_wheels else (),
        own_package=package.as_dict(settings.relax) if package else None,
        features=active,
        programs=started,
        manager=managers.manager(project, resolved.manager),
        venv=managers.venv(project),
        overrides=overrides(nixpy_lock.wheels, libraries) if lang2nix_facts else (),
        lang2nix=lang2nix_facts,
        addresses=wheel_urls.lock_with_addresses(project),
        external=external,
        external_opened=external_opened,
        diagnostics=tuple(sorted(set(found), key=order)),
    )


def _packages(
    project: Project,
    style: Style,
    targets: Sequence[Target],
    nixpy_lock: NixpyLock,
    local: Mapping[NormalizedName, Path | None],
) -> PythonSet | None:
    """Return the packages to take from nixpkgs' Python set.

    A `local` folder is not among them, since nixpkgs has another package of that name, but what it requires is.

    Returns None if the style takes none from it, or other Nix code (uv2nix and the like) finds the names.
    """
    if not style.from_nixpkgs or style.reads:
        return None
    direct, implied = project.direct_names(targets), project.implied_names(targets)
    names = {*direct, *wheel_urls.required_by(local.values(), targets)}
    return python_set.python_set(nixpy_lock, names, project.settings.versions, implied, local.keys())


def _own_package(project: Project, style: Style, targets: Sequence[Target]) -> OwnPackage | None:
    if not style.builds:
        return None
    from nixpy.environment import own_package  # no other style needs this import

    # pyproject.nix creates an environment from requirements files, and builds nothing.
    lists = bool(style.reads and project.requirements)
    wanted = style.builds == "always" or (own_package.is_packaged(project) and not lists)
    return own_package.read(project, targets) if wanted else None


def _external(project: Project, style: Style, targets: Sequence[Target], nixpy_lock: NixpyLock) -> BuildInputs | None:
    """Return the packages for [external] and to build packages without a wheel.

    Returns None if there are none.

    Not every style builds sources.
    """
    unavailable = [item for item in nixpy_lock.unavailable if item.compiled and style.builds_sources]
    if not project.external and not unavailable:
        return None
    from nixpy.external import build_inputs, builds

    mapped, settings = project.settings.external, project.settings
    found = builds.for_sdists(unavailable, mapped)
    if project.external:
        table = project.external
        named = project.dependencies
        extras = named.optional.keys() if named and named.extras_known else None
        groups = named.groups.keys() if named and named.groups_known else None
        found = (
            build_inputs.for_external(table, settings.extras, settings.groups, targets, mapped, extras, groups) + found
        )
    return found


def _opened(libraries: Iterable[Library], listed: Collection[str] = ()) -> Iterator[str]:
    """Yield the sonames that packages open at run time on Linux.

    Those of `listed` are among them, but not those that a wheel of the lock ships or that the settings leave out.
    """
    for library in libraries:
        here = library.wanted and not {*library.systems}.isdisjoint(LINUX_SYSTEMS)
        opened = library.soname in listed or any(map(library.opened_by, library.needed_by))
        if here and opened and library.provider != "sibling-wheel":
            yield library.soname
