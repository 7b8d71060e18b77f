"""What a builder of wheels must be told of each: the libraries that it asks for, since no lock says it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from packaging.utils import NormalizedName

from nixpy.libraries.answer import ADDED, Library
from nixpy.lockfile import Wheel
from nixpy.target import LINUX_SYSTEMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What a wheel asks for on Linux beside what it brings."""

    name: NormalizedName
    sonames: tuple[str, ...]  # libraries of nixpkgs that it links to
    siblings: tuple[NormalizedName, ...]  # wheels that ship a library it links to
    shipped: tuple[str, ...]  # those libraries
    runpaths: tuple[str, ...]  # where it looks for what it opens by name
    opened: tuple[str, ...]


def overrides(wheels: Iterable[Wheel], supplied: Sequence[Library], drivers: Iterable[str]) -> tuple[Override, ...]:
    """Return what each wheel asks of others on Linux, sorted by name; those that ask for nothing are left out.

    `supplied` are the libraries that nixpkgs has, `drivers` the sonames that only the host has.
    """
    linux = [wheel for wheel in wheels if wheel.system in LINUX_SYSTEMS]
    from_nixpkgs = frozenset(item.soname for item in supplied if not {*item.systems}.isdisjoint(LINUX_SYSTEMS))
    added = any(ADDED in item.needed_by for item in supplied)
    names = sorted({wheel.name for wheel in linux})
    found = (_override(name, linux, from_nixpkgs, frozenset(drivers), added=added) for name in names)
    return tuple(item for item in found if item is not None)


def _override(
    name: NormalizedName, wheels: Sequence[Wheel], supplied: frozenset[str], drivers: frozenset[str], *, added: bool
) -> Override | None:
    own = [wheel for wheel in wheels if wheel.name == name]
    linked = {soname for wheel in own for soname, _ in wheel.needs.sonames}
    opened = {soname for wheel in own for soname in wheel.needs.dlopen}
    if not linked | opened:
        return None
    shipped = {
        soname: other.name
        for other in wheels
        if other.name != name
        for soname in other.needs.provides
        if soname in linked
    }
    # What a sibling ships on one system, nixpkgs may supply on another.
    there = sorted(linked & supplied)
    by_name = sorted(opened & supplied)
    runpaths = ["${libraries}/lib"] if by_name or added else []
    return Override(
        name=name,
        sonames=tuple(there),
        siblings=tuple(sorted(set(shipped.values()))),
        shipped=tuple(sorted(shipped)),
        runpaths=(*runpaths, *(["/run/opengl-driver/lib"] if drivers & (linked | opened) else [])),
        opened=tuple(by_name + sorted(drivers & (linked | opened))),
    )
