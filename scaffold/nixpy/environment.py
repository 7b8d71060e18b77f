"""All a template needs to know, resolved: from what was recorded to the one value `env`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from packaging.utils import NormalizedName

from nixpy import fetching, python_set, releases, styles
from nixpy.config import Settings
from nixpy.features import Feature, chosen, find
from nixpy.generated import NIX_FORMAT
from nixpy.libraries.answer import Library, WheelNeeds, answer
from nixpy.libraries.executables import Substitute, substitutes
from nixpy.lockfile import Record, Wheel
from nixpy.locks.model import Unavailable
from nixpy.managers import FOLDER, Manager
from nixpy.needs.derive import format_glibc
from nixpy.needs.dlopen import curated
from nixpy.overrides import Override, overrides
from nixpy.problems import Problem, bring_programs, reason
from nixpy.project import RECORD
from nixpy.python_set import PythonSet
from nixpy.target import LINUX_SYSTEMS

if TYPE_CHECKING:
    from nixpy.distribution import Distribution
    from nixpy.external.answer import Input, Inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What is rendered: the facts of one project, in the words of the templates."""

    style: str
    python: str
    nixpkgs: str
    systems: tuple[str, ...]
    inputs: str
    libraries: tuple[Library, ...]
    opened: tuple[str, ...]  # those of them that a package opens by name at run time on Linux, sorted
    packages: PythonSet | None  # of a style that takes them from nixpkgs
    requirements: tuple[str, ...]  # what the project itself asks for
    own: Mapping[str, Any] | None  # the project itself, where the style builds it
    features: tuple[Feature, ...]
    substitutes: tuple[Substitute, ...]  # programs of nixpkgs for those of wheels
    wheels: frozenset[NormalizedName]  # those that were recorded
    unopened: frozenset[str]  # wheels whose tags alone were read
    stuck: tuple[NormalizedName, ...]  # wheels with programs that the style does not start on NixOS
    native: tuple[str, ...]  # such programs that nixpkgs supplies, so that they are to be found first
    manager: Manager | None
    overrides: tuple[Override, ...]
    unbuilt: tuple[tuple[NormalizedName, tuple[str, ...]], ...]  # without a wheel somewhere, with their build systems
    origin: Mapping[str, Any] | None  # what other people's Nix code is pointed at
    lock: str | None  # where uv.lock lies from the rendered file, which names the address of each wheel
    settings: Settings
    problems: tuple[Problem, ...]
    external: Inputs | None = None  # what is needed besides wheels, if anything is

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
        linux = sorted(set(self.systems) & set(LINUX_SYSTEMS))
        groups = _groups(self._rendered(self.supplied), self.systems, self.unopened)
        external = self.external.as_dict(self.systems) if self.external else None
        drivers = [library for library in self.libraries if library.provider == "host-driver"]
        return {
            "format": NIX_FORMAT,
            "style": self.style,
            "python": {"version": self.python, "attribute": "python" + self.python.replace(".", "")},
            "nixpkgs": self.nixpkgs,
            "systems": list(self.systems),
            "linux": linux,
            "inputs": self.inputs,
            "record": str(PurePosixPath(self.settings.file).with_name(RECORD)),
            "groups": groups,
            "needs_system": any(group["systems"] != linux for group in groups)
            or any(part["systems"] not in ([], linux) for part in _conditional(external)),
            "external": external,
            "darwin_libraries": any("aarch64-darwin" in group["systems"] for group in groups),
            "driver": any(not library.optional for library in drivers)
            or any(feature.name == "cuda" for feature in self.features),
            "features": [feature.name for feature in self.features],
            "inputs_of_features": sorted({text for feature in self.features for text in feature.inputs}),
            "wheels": sorted(self.wheels),
            "driver_sonames": sorted({library.soname for library in drivers}),
            "opened_sonames": list(self.opened),
            "unsupplied": [[item.soname, reason(item.needed_by, self.unopened)] for item in self.unsupplied],
            "ignored": list(self.settings.libraries.ignore),
            "lock": self.lock,
            "overrides": list(map(asdict, self.overrides)),
            "unbuilt": [[name, list(build)] for name, build in self.unbuilt],
            "origin": self.origin,
            "flake_inputs": list(map(asdict, styles.find(self.style).inputs)),
            "versions": self.settings.versions,
            "python_packages": [list(pair) for pair in self.packages.direct_definitions] if self.packages else [],
            "their_packages": [list(pair) for pair in self.packages.other_definitions] if self.packages else [],
            "requirements": list(self.requirements),
            "project": self.own and {**self.own, "root": ("../" * self.settings.file.count("/") or "./") + "."},
            "stuck": reason(self.stuck),
            "native": [*(f"pkgs.{name}" for name in self.native), *(item.expression for item in self.substitutes)],
            "manager": self.manager and self.manager.as_dict(),
            "packages": [
                *(f"pkgs.{name}" for name in self.settings.packages),
                *(item.expression for item in self.substitutes),
                *(text for feature in self.features for text in feature.packages),
            ],
            "variables": [list(pair) for pair in self.settings.env.items()],
            "programs": [[item.variable, item.expression, item.program] for item in self.substitutes if item.variable],
            "shell_hook": self.settings.shell_hook,
            "file": self.settings.file,
        }


def environment(
    record: Record,
    *,
    settings: Settings,
    style: str,
    nixpkgs: str,
    manager: Manager | None,
    direct: Sequence[NormalizedName] | None = None,
    implied: Collection[NormalizedName] = (),
    requirements: Sequence[str] = (),
    own: Distribution | None = None,
    lock: str | None = None,
    origin: Mapping[str, Any] | None = None,
    astray: Collection[NormalizedName] = (),
    beside: Collection[NormalizedName] = (),
    external: Inputs | None = None,
) -> Environment:
    """Return the environment of what `record` says.

    `direct` are the packages that nixpkgs is to supply, where the style asks it for any, `implied` those of them that
    only the lock names, and `requirements` what the project asks for, where the style builds an environment that can be
    held against it. `own` is the project itself, where it is built. `lock` is where uv.lock lies from the rendered
    file, `origin` what `builders.origin` says, `astray` are the wheels that Nix does not find by the lock, and
    `beside` what it takes from folders.
    `external` is what is needed besides wheels; its libraries are supplied as those of wheels are.
    """
    asking = [*wheel_needs(record.wheels), *(external.libraries if external else ())]
    entries = external.entries if external else {}
    libraries, problems = answer(asking, settings.libraries, record.systems, entries)
    packages = None if direct is None else python_set.python_set(record, direct, settings.versions, implied)
    features = chosen(settings.features, style)
    programs = {wheel.name for wheel in record.wheels if wheel.needs.executables}
    replaced = _substitutes(programs) if any(feature.name == "nix-executables" for feature in features) else {}
    idle = _idle(programs, style)
    stuck = tuple(sorted(idle - set(settings.packages) - replaced.keys()))
    found = [
        *problems,
        # Without a wheel a package may still be in nixpkgs, where that is asked.
        *(python_set.problems(packages, {*replaced, *beside}) if packages else ()),
        *(() if styles.find(style).from_nixpkgs else _unavailable(record, style)),
        *(external.problems if external else ()),
        *_glibc_problems(record.wheels, nixpkgs),
    ]
    if stuck:
        found.append(
            Problem(
                code="NIX302",
                message=f"{bring_programs(stuck)} that do not start on NixOS under style {style}",
                hint="style nix-ld, patched-venv or fhs starts them; feature nix-executables takes nixpkgs' own",
            )
        )
    if own:
        found += own.problems(application=styles.find(style).builds == "always")
    if styles.find(style).all_wheels:
        fetched = [wheel for wheel in record.wheels if packages is None or wheel.name in packages.wheels]
        found += fetching.problems(fetched, astray)
        found += fetching.left_out(beside, style)
    found += _unanswered(record.wheels, style, features)
    return Environment(
        style=style,
        python=record.python,
        nixpkgs=nixpkgs,
        systems=record.systems,
        inputs=record.inputs,
        libraries=libraries,
        opened=tuple(sorted(set(_opened(asking, libraries)))),
        packages=packages,
        requirements=tuple(requirements),
        own=own.as_dict(settings.relax) if own else None,
        unopened=frozenset(wheel.name for wheel in record.wheels if wheel.guessed),
        stuck=stuck,
        features=features,
        substitutes=tuple(replaced.values()),
        wheels=frozenset(wheel.name for wheel in record.wheels),
        native=tuple(sorted(idle & set(settings.packages))),
        manager=manager,
        overrides=overrides(record.wheels, libraries, optional=settings.libraries.optional) if origin else (),
        unbuilt=tuple(sorted({item.name: _build(item) for item in record.unavailable if item.sdist}.items())),
        origin=origin,
        lock=lock,
        settings=settings,
        problems=tuple(sorted(set(found), key=lambda problem: (problem.code, problem.package or "", problem.message))),
        external=external,
    )


def _conditional(external: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """Yield each part of what is needed besides wheels that may be for some systems alone."""
    if external:
        yield from external["versions"]
        for groups in external["roles"].values():
            yield from groups


def _build(item: Unavailable) -> tuple[str, ...]:
    """Return what builds a package by its own word, else what does where it says nothing (PEP 517)."""
    return item.source.build if item.source and item.source.build else ("setuptools",)


def _unavailable(record: Record, style: str) -> Iterator[Problem]:
    """Yield what is to be said of packages without a wheel; few projects have any, so the rest reads no tables."""
    if record.unavailable:
        from nixpy.external.builds import unavailable_problems

        yield from unavailable_problems(record.unavailable, record.python, style)


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


def _unanswered(wheels: Iterable[Wheel], style: str, features: Sequence[Feature]) -> Iterator[Problem]:
    """Yield a problem where wheels ask for a library in a way that nixpkgs' Python has no answer to."""
    asking = sorted({wheel.name for wheel in wheels if wheel.needs.dlopen and curated(wheel.name).asks})
    answered = any(feature.name == "find-library" for feature in features) or styles.find(style).from_nixpkgs
    if asking and not answered and styles.find(style).folder in (FOLDER, ""):  # else it is another one's Python
        yield Problem(
            code="NIX303",
            message=f"{reason(asking)} {'asks' if len(asking) == 1 else 'ask'} ctypes.util.find_library, "
            "to which nixpkgs' Python has no answer",
            hint=_find_library_hint(style),
        )


def _find_library_hint(style: str) -> str:
    allowed = find("find-library").styles
    where = "" if style in allowed else f", under style {' or '.join(sorted(allowed))}"
    return f"feature find-library has one{where}" + ("" if where else ": `nixpy init --feature find-library`")


def _idle(programs: set[NormalizedName], style: str) -> set[NormalizedName]:
    """Return those of the wheels with programs whose programs do not start under the style."""
    return set() if not programs or styles.find(style).executables else programs


def _substitutes(programs: Collection[NormalizedName]) -> dict[NormalizedName, Substitute]:
    """Return what nixpkgs has in the place of the programs of these wheels, where it is known."""
    known = substitutes()
    return {name: known[name] for name in sorted(programs) if name in known}


def wheel_needs(wheels: Iterable[Wheel]) -> list[WheelNeeds]:
    """Return the wheels as the catalogue is asked about them."""
    return [
        WheelNeeds(system=wheel.system, name=wheel.name, filename=wheel.filename, needs=wheel.needs) for wheel in wheels
    ]


def _glibc_problems(wheels: Iterable[Wheel], nixpkgs: str) -> Iterator[Problem]:
    """Yield a problem for each wheel that needs a newer glibc than nixpkgs has, whatever its tag says."""
    release = releases.release(nixpkgs)
    newer = {wheel.name: wheel for wheel in wheels if wheel.needs.glibc and wheel.needs.glibc > release.glibc}
    for wheel in newer.values():
        needed, there = format_glibc(wheel.needs.glibc or ()), format_glibc(release.glibc)
        yield Problem(
            code="NIX203",
            package=wheel.name,
            message=f"{wheel.name} {wheel.version} needs glibc {needed}, but {release.branch} has {there}",
            hint="choose a newer nixpkgs, or an older release of the package",
        )


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
