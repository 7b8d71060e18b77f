"""From the requirements of wheels to the packages that each asks for on one machine. Pure: no disk, no network."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

_Extras = Mapping[NormalizedName, Collection[NormalizedName]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requires:
    """The packages that a wheel asks for, sorted; `by_extras` are those of them that only its extras ask for."""

    names: tuple[NormalizedName, ...]
    by_extras: tuple[NormalizedName, ...] = ()


def required(
    wheels: Mapping[NormalizedName, Iterable[str]],
    environment: Mapping[str, str],
    among: Collection[NormalizedName],
    asked: Iterable[Requirement] | None,
) -> dict[NormalizedName, Requires]:
    """Return which packages of `among` each of `wheels` asks for by its requirements where the markers have these
    values.

    Those of an extra count where somebody asks for the wheel with it: the project, by `asked`, or another wheel. With
    `asked` None nobody can tell, and those of every extra count: what none in use asks for is hardly `among` the
    packages that a lock installs. A line that cannot be read, as old tools wrote them, asks for nothing.
    """
    here = [one for one in asked or () if _holds(one, environment, ())]
    lines = {name: tuple(_readable(own)) for name, own in wheels.items()}
    extras: _Extras = {} if asked is not None else {name: {*_named(own)} for name, own in lines.items()}
    while True:
        found = {
            name: [one for one in own if _holds(one, environment, extras.get(name, ()))] for name, own in lines.items()
        }
        used = extras if asked is None else _used(chain(here, *found.values()))
        if used == extras:
            break
        extras = used  # an extra in use may ask for others in turn
    return {name: _requires(own, environment, among) for name, own in found.items()}


def _requires(holding: Collection[Requirement], environment: Mapping[str, str], among: Collection[str]) -> Requires:
    here = {canonicalize_name(one.name) for one in holding} & {*among}
    plain = {canonicalize_name(one.name) for one in holding if _holds(one, environment, ())}
    return Requires(names=tuple(sorted(here)), by_extras=tuple(sorted(here - plain)))


def _readable(lines: Iterable[str]) -> Iterator[Requirement]:
    for line in lines:
        try:
            yield Requirement(line)
        except InvalidRequirement:
            continue


def _named(requirements: Iterable[Requirement]) -> Iterator[NormalizedName]:
    """Yield the names of all extras that the markers test; other words of theirs too, which no extra is called."""
    for one in requirements:
        yield from (canonicalize_name(word) for word in str(one.marker or "").split('"')[1::2])


def _used(requirements: Iterable[Requirement]) -> dict[NormalizedName, set[NormalizedName]]:
    """Return the extras with which packages are asked for."""
    found: dict[NormalizedName, set[NormalizedName]] = {}
    for one in requirements:
        found.setdefault(canonicalize_name(one.name), set()).update(map(canonicalize_name, one.extras))
    return found


def _holds(requirement: Requirement, environment: Mapping[str, str], extras: Iterable[NormalizedName]) -> bool:
    """Tell whether a requirement holds without an extra, or with one of these."""
    marker = requirement.marker
    try:
        return marker is None or any(marker.evaluate({**environment, "extra": extra}) for extra in ("", *extras))
    except (UndefinedComparison, UndefinedEnvironmentName):
        return False
