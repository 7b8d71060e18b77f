"""Choose packages from nixpkgs' Python set and from locked wheels.

Style with-packages uses both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from packaging.utils import NormalizedName

from nixpy.analysis.nixpylock import NixpyLock
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.nixpkgs import python_packages

Versions = Literal["nixpkgs", "locked"]
"""Which version to use if both nixpkgs and the lock have a package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPackage:
    """One package that the environment may contain.

    `known`: it is known to be in nixpkgs. `wheel`: the lock has a wheel of it for some system. `lacking`: the lock
    lacks a wheel of it for some system.
    """

    name: NormalizedName
    known: bool
    wheel: bool
    lacking: bool

    @property
    def missing(self) -> bool:
        """Whether it has no known source on some system."""
        return not self.known and (self.lacking or not self.wheel)

    def is_from_wheel(self, versions: Versions) -> bool:
        """Return whether its wheel is likely used."""
        return self.wheel and (versions == "locked" or not self.known)

    @property
    def spelled(self) -> str:
        """Its attribute of nixpkgs' Python set: `toolz`, or `new or old`.

        It ends in `or null`, so that Nix does not fail, if a diagnostic reports that it may be missing.
        """
        return python_packages.spelled(self.name) + (" or null" if self.missing else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonSet:
    """The packages that a project requires, and the `others`.

    The others are those that wheels and extras require. Both are sorted by name.
    """

    versions: Versions
    direct: tuple[SetPackage, ...]
    others: tuple[SetPackage, ...]

    @property
    def wheels(self) -> frozenset[NormalizedName]:
        """The packages with wheels that are likely used."""
        return frozenset(item.name for item in (*self.direct, *self.others) if item.is_from_wheel(self.versions))

    @property
    def missing(self) -> tuple[NormalizedName, ...]:
        """The packages without a known source."""
        return tuple(sorted(item.name for item in (*self.direct, *self.others) if item.missing))


def python_set(
    nixpy_lock: NixpyLock,
    direct: Iterable[NormalizedName],
    versions: Versions,
    implied: Collection[NormalizedName] = (),
    left_out: Collection[NormalizedName] = (),
) -> PythonSet:
    """Return the sources of packages and of those that they require.

    The latter are the requirements of wheels and of extras of nixpkgs' packages, which contain only what they always
    need.

    Args:
        nixpy_lock: The locked wheels.
        direct: The packages that the project requires; if only the lock has them, all that it installs.
        versions: Which version to use if both nixpkgs and the lock have a package.
        implied: Those of `direct` that only the lock names. If such a package is not known to be in nixpkgs, and
            others require it, it is left out: nixpkgs' torch, for example, needs no wheels of CUDA.
        left_out: The packages that are not taken, although others require them.
    """
    wheels = {wheel.name for wheel in nixpy_lock.wheels}
    lacking = {item.name for item in nixpy_lock.unavailable}
    requires: dict[NormalizedName, set[NormalizedName]] = {}
    by_extras: dict[NormalizedName, set[NormalizedName]] = {}
    for wheel in nixpy_lock.wheels:
        requires.setdefault(wheel.name, set()).update(wheel.requires or ())
        by_extras.setdefault(wheel.name, set()).update(wheel.by_extras)

    def package(name: NormalizedName) -> SetPackage:
        known = python_packages.attribute(name) is not None
        return SetPackage(name=name, known=known, wheel=name in wheels, lacking=name in lacking)

    loose = {name for name in implied if python_packages.attribute(name) is None}
    asked = {name: package(name) for name in sorted(_without(loose, set(direct), requires)) if name not in left_out}
    found = dict(asked)
    waiting = list(asked.values())
    while waiting:
        item = waiting.pop()
        asking = requires if item.is_from_wheel(versions) else by_extras
        for name in asking.get(item.name, set()) - found.keys() - set(left_out):
            found[name] = package(name)
            waiting.append(found[name])
    others = tuple(found[name] for name in sorted(found.keys() - asked.keys()))
    return PythonSet(versions=versions, direct=tuple(asked.values()), others=others)


def _without(
    loose: Collection[NormalizedName],
    direct: Collection[NormalizedName],
    requires: Mapping[NormalizedName, Collection[NormalizedName]],
) -> set[NormalizedName]:
    """Return `direct` without those of `loose` that other packages require.

    One of each cycle stays.
    """
    inner = {name for owner, names in requires.items() for name in names if name != owner and name in loose}
    kept: set[NormalizedName] = set()
    reached: set[NormalizedName] = set()
    for start in sorted(direct, key=lambda name: (name in inner, name)):
        if start in inner and start in reached:
            continue
        kept.add(start)
        waiting = [start]
        while waiting:
            if (name := waiting.pop()) not in reached:
                reached.add(name)
                waiting += requires.get(name, ())
    return kept


def diagnostics(
    packages: PythonSet, replaced: Collection[NormalizedName], repositories: Collection[NormalizedName]
) -> Iterator[Diagnostic]:
    """Yield NIX301 for each package without a source.

    `replaced` are those with programs that the shell has anyway, `repositories` those that no index need have.
    """
    for name in packages.missing:
        if name in repositories:
            yield Diagnostic(
                code="NIX301",
                package=name,
                message=f"{name} comes from a repository and is not known to be in nixpkgs, so the shell may lack it",
                hint="Choose a style that installs into .venv: its shell builds the package.",
            )
        elif name not in replaced:
            yield Diagnostic(
                code="NIX301",
                package=name,
                message=f"{name} is not known to be in nixpkgs and has no wheel, so the shell may lack it",
                hint=python_packages.unknown_package(name),
            )
