"""Compute the libraries of each wheel for Nix code that builds wheels.

No lock records them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from packaging.utils import NormalizedName

from nixpy.analysis.nixpylock import Wheel
from nixpy.core.target import LINUX_SYSTEMS
from nixpy.libraries.match import ADDED, Library


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """The libraries that a wheel needs on Linux and does not contain."""

    name: NormalizedName
    sonames: tuple[str, ...]  # the libraries of nixpkgs that it links to
    siblings: tuple[NormalizedName, ...]  # the wheels that ship a library it links to
    shipped: tuple[str, ...]  # those libraries
    places: tuple[str, ...]  # where it finds what it opens at run time: "libraries", "driver"
    opened: tuple[str, ...]


def overrides(wheels: Iterable[Wheel], libraries: Sequence[Library]) -> tuple[Override, ...]:
    """Return the libraries that each wheel needs on Linux, sorted by name.

    Wheels without needs are left out. `libraries` are those that the wheels need together.
    """
    linux = [wheel for wheel in wheels if wheel.system in LINUX_SYSTEMS]
    there = [item for item in libraries if item.wanted and not {*item.systems}.isdisjoint(LINUX_SYSTEMS)]
    added = any(ADDED in item.needed_by for item in there)
    found = (_override(name, linux, there, added=added) for name in sorted({item.name for item in linux}))
    return tuple(item for item in found if item is not None)


def _override(
    name: NormalizedName, wheels: Sequence[Wheel], libraries: Sequence[Library], *, added: bool
) -> Override | None:
    supplied = {item.soname for item in libraries if item.provider == "nixpkgs"}
    drivers = {item.soname for item in libraries if item.provider == "host-driver"}
    # A pure Python wheel has no file to patch.
    wheels_here = [wheel for wheel in wheels if wheel.name == name and not wheel.filename.endswith("-any.whl")]
    linked = {soname for wheel in wheels_here for soname, _ in wheel.needs.sonames}
    opened = {item.soname for item in libraries if wheels_here and item.opened_by(name)}
    if not linked | opened:
        return None
    shipped = {
        soname: other.name
        for other in wheels
        if other.name != name
        for soname in other.needs.provides
        if soname in linked
    }
    by_name, of_host = sorted(opened & supplied), sorted((linked | opened) & drivers)
    return Override(
        name=name,
        # A sibling wheel may ship a library on one system, and nixpkgs supply it on another.
        sonames=tuple(sorted(linked & supplied)),
        siblings=tuple(sorted(set(shipped.values()))),
        shipped=tuple(sorted(shipped)),
        places=(*(["libraries"] if by_name or added else []), *(["driver"] if of_host else [])),
        opened=(*by_name, *of_host),
    )
