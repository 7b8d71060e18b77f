"""What a builder of wheels must be told of each: the libraries that it asks for, since no lock says it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from packaging.utils import NormalizedName

from nixpy.analysis.nixpylock import Wheel
from nixpy.core.target import LINUX_SYSTEMS
from nixpy.libraries.match import ADDED, Library


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What a wheel asks for on Linux beside what it brings."""

    name: NormalizedName
    sonames: tuple[str, ...]  # libraries of nixpkgs that it links to
    siblings: tuple[NormalizedName, ...]  # wheels that ship a library it links to
    shipped: tuple[str, ...]  # those libraries
    places: tuple[str, ...]  # where it looks for what it opens by name: "libraries", "driver"
    opened: tuple[str, ...]


def overrides(wheels: Iterable[Wheel], libraries: Sequence[Library], *, optional: bool) -> tuple[Override, ...]:
    """Return what each wheel asks of others on Linux, sorted by name; those that ask for nothing are left out.

    `libraries` are the answers to all of them together; with `optional` also what wheels could do without is supplied.
    """
    linux = [wheel for wheel in wheels if wheel.system in LINUX_SYSTEMS]
    there = [item for item in libraries if not {*item.systems}.isdisjoint(LINUX_SYSTEMS)]
    supplied = {item.soname for item in there if item.provider == "nixpkgs" and (optional or not item.optional)}
    drivers = {item.soname for item in there if item.provider == "host-driver" and not item.optional}
    added = any(ADDED in item.needed_by for item in there)
    found = (_override(name, linux, supplied, drivers, added=added) for name in sorted({item.name for item in linux}))
    return tuple(item for item in found if item is not None)


def _override(
    name: NormalizedName, wheels: Sequence[Wheel], supplied: set[str], drivers: set[str], *, added: bool
) -> Override | None:
    # In a wheel of Python alone there is no file that could be told anything.
    wheels_here = [wheel for wheel in wheels if wheel.name == name and not wheel.filename.endswith("-any.whl")]
    linked = {soname for wheel in wheels_here for soname, _ in wheel.needs.sonames}
    opened = {soname for wheel in wheels_here for soname in wheel.needs.dlopen}
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
        # What a sibling ships on one system, nixpkgs may supply on another.
        sonames=tuple(sorted(linked & supplied)),
        siblings=tuple(sorted(set(shipped.values()))),
        shipped=tuple(sorted(shipped)),
        places=(*(["libraries"] if by_name or added else []), *(["driver"] if of_host else [])),
        opened=(*by_name, *of_host),
    )
