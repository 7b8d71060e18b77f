"""From the requirements of wheels to the packages that each asks for on one machine. Pure: no disk, no network."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from nixpy.core import limits


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
    lines = {name: tuple(_readable(own)) for name, own in wheels.items()}
    found: dict[NormalizedName, dict[int, Requirement]] = {
        name: {at: one for at, one in enumerate(own) if _holds(one, environment, "")} for name, own in lines.items()
    }
    of_extra: dict[tuple[NormalizedName, NormalizedName], list[int]] = defaultdict(list)
    for name, own in lines.items():
        for at, one in enumerate(own):
            for extra in _named(one):
                of_extra[name, extra].append(at)
    # An extra in use may ask for others in turn. Each is looked at once, with the lines that name it.
    waiting = list(of_extra)
    if asked is not None:
        here = [one for one in asked if _holds(one, environment, "")]
        waiting = [*_used(here), *(use for own in found.values() for use in _used(own.values()))]
    seen: set[tuple[NormalizedName, NormalizedName]] = set()
    while waiting:
        if (use := waiting.pop()) in seen:
            continue
        seen.add(use)
        name, extra = use
        for at in of_extra.get(use, ()):
            if at not in found[name] and _holds(lines[name][at], environment, extra):
                found[name][at] = lines[name][at]
                waiting += _used([lines[name][at]]) if asked is not None else ()
    return {name: _requires(own.values(), environment, among) for name, own in found.items()}


def _requires(holding: Collection[Requirement], environment: Mapping[str, str], among: Collection[str]) -> Requires:
    here = {canonicalize_name(one.name) for one in holding} & {*among}
    plain = {canonicalize_name(one.name) for one in holding if _holds(one, environment, "")}
    return Requires(names=tuple(sorted(here)), by_extras=tuple(sorted(here - plain)))


def _readable(lines: Iterable[str]) -> Iterator[Requirement]:
    for line in lines:
        try:
            yield Requirement(line)
        except InvalidRequirement:
            continue


def _named(requirement: Requirement) -> list[NormalizedName]:
    """Return the names of all extras that the marker tests; other words of it too, which no extra is called."""
    texts = str(requirement.marker or "").split('"')[1::2]
    words = [canonicalize_name(word) for text in texts for word in (text, *re.split(r"[\s,]+", text))]
    return list(dict.fromkeys(words))[: limits.MARKER_WORDS]


def _used(requirements: Iterable[Requirement]) -> Iterator[tuple[NormalizedName, NormalizedName]]:
    """Yield each package that a requirement names with an extra, and the extra."""
    for one in requirements:
        for extra in one.extras:
            yield canonicalize_name(one.name), canonicalize_name(extra)


def _holds(requirement: Requirement, environment: Mapping[str, str], extra: str) -> bool:
    """Return whether a requirement holds with this extra; empty stands for none."""
    marker = requirement.marker
    try:
        return marker is None or marker.evaluate({**environment, "extra": extra})
    except (UndefinedComparison, UndefinedEnvironmentName):
        return False
