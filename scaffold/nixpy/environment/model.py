"""All a template needs to know, resolved: from what was recorded to the one value `env`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from nixpy.analysis.nixpylock import NIX_FORMAT, Record
from nixpy.core.target import LINUX_SYSTEMS
from nixpy.diagnostics.problem import Problem, reason
from nixpy.environment.executables import Programs
from nixpy.environment.overrides import Override
from nixpy.environment.python_set import PythonSet
from nixpy.libraries.match import Library
from nixpy.locks.model import Unavailable
from nixpy.project.config import Settings
from nixpy.project.managers import Manager
from nixpy.project.project import RECORD
from nixpy.styles.features import Feature
from nixpy.styles.styles import Style

if TYPE_CHECKING:
    from nixpy.external.inputs import Input, Inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What is rendered: the facts of one project, in the words of the templates."""

    style: Style
    nixpkgs: str
    settings: Settings
    record: Record
    libraries: tuple[Library, ...]
    opened: tuple[str, ...]  # those of them that a package opens by name at run time on Linux, sorted
    packages: PythonSet | None  # of a style that takes them from nixpkgs
    requirements: tuple[str, ...]  # what the project itself asks for
    own: Mapping[str, Any] | None  # the project itself, where the style builds it
    features: tuple[Feature, ...]
    programs: Programs
    manager: Manager | None
    overrides: tuple[Override, ...]
    origin: Mapping[str, Any] | None  # what other people's Nix code is pointed at
    lock: str | None  # where uv.lock lies from the rendered file, which names the address of each wheel
    external: Inputs | None  # what is needed besides wheels, if anything is
    external_opened: tuple[str, ...]  # the sonames of it that the project opens by name when it runs
    problems: tuple[Problem, ...]

    @property
    def supplied(self) -> tuple[Library, ...]:
        """The libraries that come from nixpkgs and are rendered: optional ones only where the user asks for them."""
        wanted = self.settings.libraries
        return tuple(
            library
            for library in self.libraries
            if library.provider == "nixpkgs" and (wanted.optional or not library.optional)
        )

    def _rendered(self, libraries: Iterable[Library]) -> Iterator[Library]:
        for library in libraries:
            text = library.expression
            yield replace(library, expression=self.external.rendered(text)) if self.external and text else library

    @property
    def besides(self) -> tuple[Input, ...]:
        """The packages that are needed besides wheels."""
        return self.external.inputs if self.external else ()

    @property
    def unsupplied(self) -> tuple[Library, ...]:
        """What wheels name on Linux and do without: what only optional parts need, and the host's driver."""
        left = (library for library in self.libraries if library.provider == "host-driver" or library.optional)
        return tuple(
            library
            for library in left
            if library.provider != "sibling-wheel"
            and library not in self.supplied
            and not {*library.systems}.isdisjoint(LINUX_SYSTEMS)
        )

    def as_dict(self) -> dict[str, Any]:
        """Return `env`: plain JSON values, so that any Jinja can render it."""
        record, programs = self.record, self.programs
        linux = sorted(set(record.systems) & set(LINUX_SYSTEMS))
        unopened = frozenset(wheel.name for wheel in record.wheels if wheel.guessed)
        groups = _groups(self._rendered(self.supplied), record.systems, unopened)
        external = self.external.as_dict(record.systems) if self.external else None
        drivers = [library for library in self.libraries if library.provider == "host-driver"]
        substitutes = programs.substitutes.values()
        return {
            "format": NIX_FORMAT,
            "style": self.style.name,
            "python": {"version": record.python, "attribute": "python" + record.python.replace(".", "")},
            "nixpkgs": self.nixpkgs,
            "systems": list(record.systems),
            "linux": linux,
            "inputs": record.inputs,
            "record": str(PurePosixPath(self.settings.file).with_name(RECORD)),
            "groups": groups,
            "needs_system": any(group["systems"] != linux for group in groups)
            or any(part["systems"] not in ([], linux) for part in _conditional(external)),
            "external": external,
            "external_opened": list(self.external_opened),
            "darwin_libraries": any("aarch64-darwin" in group["systems"] for group in groups),
            "driver": any(not library.optional for library in drivers)
            or any(feature.name == "cuda" for feature in self.features),
            "features": [feature.name for feature in self.features],
            "inputs_of_features": sorted({text for feature in self.features for text in feature.inputs}),
            "wheels": sorted({wheel.name for wheel in record.wheels}),
            "driver_sonames": sorted({library.soname for library in drivers}),
            "opened_sonames": list(self.opened),
            "unsupplied": [[item.soname, reason(item.needed_by, unopened)] for item in self.unsupplied],
            "ignored": list(self.settings.libraries.ignore),
            "lock": self.lock,
            "overrides": list(map(asdict, self.overrides)),
            "unbuilt": _unbuilt(record.unavailable),
            "origin": self.origin,
            "flake_inputs": list(map(asdict, self.style.inputs)),
            "versions": self.settings.versions,
            "python_packages": [list(pair) for pair in self.packages.direct_definitions] if self.packages else [],
            "their_packages": [list(pair) for pair in self.packages.other_definitions] if self.packages else [],
            "requirements": list(self.requirements),
            "project": self.own and {**self.own, "root": ("../" * self.settings.file.count("/") or "./") + "."},
            "stuck": reason(programs.stuck),
            "native": [*(f"pkgs.{name}" for name in programs.native), *(item.expression for item in substitutes)],
            "manager": self.manager and self.manager.as_dict(),
            "packages": [
                *(f"pkgs.{name}" for name in self.settings.packages),
                *(item.expression for item in substitutes),
                *(text for feature in self.features for text in feature.packages),
            ],
            "variables": [list(pair) for pair in self.settings.env.items()],
            "programs": [[item.variable, item.expression, item.program] for item in substitutes if item.variable],
            "shell_hook": self.settings.shell_hook,
            "file": self.settings.file,
        }


def _conditional(external: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """Yield each part of what is needed besides wheels that may be for some systems alone."""
    if external:
        yield from external["versions"]
        for groups in external["roles"].values():
            yield from groups


def _unbuilt(unavailable: Iterable[Unavailable]) -> list[list[Any]]:
    """Return the packages without a wheel somewhere that can be built, each with what builds it."""
    found = {item.name: _build(item) for item in unavailable if item.sdist}
    return [[name, list(build)] for name, build in sorted(found.items())]


def _build(item: Unavailable) -> tuple[str, ...]:
    """Return what builds a package by its own word, else what does where it says nothing (PEP 517)."""
    return item.source.build if item.source and item.source.build else ("setuptools",)


def _groups(libraries: Iterable[Library], systems: Sequence[str], unopened: frozenset[str]) -> list[dict[str, Any]]:
    """Return the rendered lines, grouped by the systems they are for: a soname stands once for each group."""
    linux = tuple(sorted(set(systems) & set(LINUX_SYSTEMS)))
    parts = (part for library in libraries for part in _split(library, linux))

    def key(library: Library) -> tuple[bool, tuple[str, ...]]:
        return (library.systems != linux, library.systems)

    ordered = sorted(parts, key=lambda library: (key(library), library.soname))
    return [
        {
            "systems": list(group_systems),
            "libraries": [
                {
                    "soname": library.soname,
                    "expression": library.expression,
                    "reason": reason(library.needed_by, unopened),
                }
                for library in group
            ],
        }
        for (_, group_systems), group in groupby(ordered, key=key)
    ]


def _split(library: Library, linux: tuple[str, ...]) -> Iterable[Library]:
    """Yield the Linux and the Darwin part of a library apart, as they are handed over in different ways."""
    here = tuple(system for system in library.systems if system in linux)
    elsewhere = tuple(system for system in library.systems if system not in linux)
    for systems in (here, elsewhere):
        if systems:
            yield replace(library, systems=systems)
