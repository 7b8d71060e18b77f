"""From what is chosen for a project and recorded of its wheels to the one value that is rendered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from nixpy.analysis.nixpylock import Record, wheel_needs
from nixpy.core.target import LINUX_SYSTEMS, Target
from nixpy.environment import compatibility as misfits
from nixpy.environment import lang2nix as builders
from nixpy.environment import python_set
from nixpy.environment import wheel_urls as fetching
from nixpy.environment.choices import Choices
from nixpy.environment.executables import programs
from nixpy.environment.model import Environment
from nixpy.environment.overrides import overrides
from nixpy.environment.python_set import PythonSet
from nixpy.libraries.match import Library, WheelNeeds, answer
from nixpy.project import managers
from nixpy.project.project import Project
from nixpy.styles import features, styles
from nixpy.styles.styles import Style

if TYPE_CHECKING:
    from nixpy.environment.own_package import Distribution
    from nixpy.external.inputs import Inputs


def environment_of(project: Project, choices: Choices, record: Record) -> Environment:
    """Return what is rendered for `record`. Libraries that are needed besides wheels are supplied as theirs are."""
    assert choices.style is not None  # noqa: S101  (chosen by now)
    style, targets, settings = styles.find(choices.style), choices.targets(), project.settings
    external = _external(project, style, targets, record)
    asking = [*wheel_needs(record.wheels), *(external.libraries if external else ())]
    entries = external.entries if external else {}
    libraries, unsupplied = answer(asking, settings.libraries, record.systems, entries)
    opened = external.opened if external else ()
    external_opened = tuple(item.soname for item in libraries if item.soname in opened and item.provider == "nixpkgs")
    packages = _packages(project, style, targets, record)
    own = _distribution(project, style, targets)
    origin = builders.origin(project, style, targets)
    active = features.chosen(settings.features, style.name)
    started = programs(record.wheels, style, active, settings.packages)
    # Folders beside the project, and where wheels are to be had, matter to styles that install by nixpy.lock.
    beside = fetching.beside(project, targets) if style.all_wheels else set()
    found = [
        *unsupplied,
        *(python_set.problems(packages, {*started.substitutes, *beside}) if packages else ()),
        *(external.problems if external else ()),
        *misfits.problems(record, style, active, choices.nixpkgs),
        *misfits.unopened(external_opened, style),
        *started.problems(style),
        *(own.problems(application=style.builds == "always") if own else ()),
    ]
    if style.all_wheels:
        fetched = [wheel for wheel in record.wheels if packages is None or wheel.name in packages.wheels]
        found += fetching.problems(fetched, fetching.astray(project, targets))
        found += fetching.left_out(beside, style.name)
    return Environment(
        style=style,
        nixpkgs=choices.nixpkgs,
        settings=settings,
        record=record,
        libraries=libraries,
        opened=tuple(sorted(set(_opened(asking, libraries)))),
        packages=packages,
        requirements=project.asked_lines(targets) if style.all_wheels else (),
        own=own.as_dict(settings.relax) if own else None,
        features=active,
        programs=started,
        manager=managers.manager(project, choices.manager),
        overrides=overrides(record.wheels, libraries, optional=settings.libraries.optional) if origin else (),
        origin=origin,
        lock=fetching.uv_lock(project),
        external=external,
        external_opened=external_opened,
        problems=tuple(sorted(set(found), key=lambda problem: (problem.code, problem.package or "", problem.message))),
    )


def _packages(project: Project, style: Style, targets: Sequence[Target], record: Record) -> PythonSet | None:
    """Return what nixpkgs' Python set is asked for; None where the style takes nothing from it, or leaves finding the
    names to other people's Nix code.
    """
    if not style.from_nixpkgs or style.reads:
        return None
    direct, implied = project.direct_names(targets), project.implied_names(targets)
    return python_set.python_set(record, direct, project.settings.versions, implied)


def _distribution(project: Project, style: Style, targets: Sequence[Target]) -> Distribution | None:
    if not style.builds:
        return None
    from nixpy.environment import own_package as distribution  # no other style waits for it

    # pyproject.nix makes an environment of requirements files, and builds nothing.
    lists = bool(style.reads and project.requirements)
    wanted = style.builds == "always" or (distribution.is_packaged(project) and not lists)
    return distribution.read(project, targets) if wanted else None


def _external(project: Project, style: Style, targets: Sequence[Target], record: Record) -> Inputs | None:
    """Return what the shell holds for [external] and to build what has no wheel; None where there is neither.

    Not every style builds sources.
    """
    unavailable = [item for item in record.unavailable if item.compiled and style.builds_sources]
    if not project.external and not unavailable:
        return None
    from nixpy.external import builds
    from nixpy.external import inputs as answer

    own, settings = project.settings.external, project.settings
    found = builds.needed(unavailable, own)
    if project.external:
        table = project.external
        named = project.dependencies
        extras = named.optional.keys() if named and named.extras_known else None
        groups = named.groups.keys() if named and named.groups_known else None
        found = answer.asked(table, settings.extras, settings.groups, targets, own, extras, groups) + found
    return found


def _opened(wheels: Iterable[WheelNeeds], libraries: Iterable[Library]) -> Iterator[str]:
    """Yield the sonames that packages open at run time on Linux and no wheel of the lock ships."""
    by_soname: dict[str, set[str]] = {}
    for wheel in wheels:
        for soname in wheel.needs.dlopen if wheel.system in LINUX_SYSTEMS else ():
            by_soname.setdefault(soname, set()).add(wheel.name)
    for library in libraries:
        asked = by_soname.get(library.soname, set()) if library.provider != "sibling-wheel" else set()
        if not asked.isdisjoint(library.needed_by):
            yield library.soname
