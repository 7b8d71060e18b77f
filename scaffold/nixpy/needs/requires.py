"""Find the packages that wheels require on one machine. Pure: no disk, no network."""

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
    """The packages that a wheel requires, sorted.

    `by_extras` are those that only its extras require.
    """

    names: tuple[NormalizedName, ...]
    by_extras: tuple[NormalizedName, ...] = ()


def required(
    wheels: Mapping[NormalizedName, Iterable[str]],
    environment: Mapping[str, str],
    among: Collection[NormalizedName],
    requirements: Iterable[Requirement] | None,
) -> dict[NormalizedName, Requires]:
    """Return the packages that each wheel requires, of those that the lock installs.

    Args:
        wheels: The Requires-Dist lines of each wheel. A line that cannot be parsed is skipped; old tools wrote some.
        environment: The values of the marker variables (PEP 508).
        among: The packages that the lock installs.
        requirements: Those of the project. The requirements of an extra count if the project or a wheel requires that
            extra. With None, those of every extra count: a package of an unused extra is rarely in the lock.
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
    # An extra in use may require others. Each is visited once, with the lines that name it.
    waiting = list(of_extra)
    if requirements is not None:
        here = [one for one in requirements if _holds(one, environment, "")]
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
                waiting += _used([lines[name][at]]) if requirements is not None else ()
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
    """Return the names of all extras that the marker tests.

    Other words of the marker are among them, which match no extra.
    """
    texts = str(requirement.marker or "").split('"')[1::2]
    words = [canonicalize_name(word) for text in texts for word in (text, *re.split(r"[\s,]+", text))]
    return list(dict.fromkeys(words))[: limits.MARKER_WORDS]


def _used(requirements: Iterable[Requirement]) -> Iterator[tuple[NormalizedName, NormalizedName]]:
    """Yield each package that a requirement names with an extra, and the extra."""
    for one in requirements:
        for extra in one.extras:
            yield canonicalize_name(one.name), canonicalize_name(extra)


def _holds(requirement: Requirement, environment: Mapping[str, str], extra: str) -> bool:
    """Return whether a requirement applies with this extra.

    An empty string means no extra.
    """
    marker = requirement.marker
    try:
        return marker is None or marker.evaluate({**environment, "extra": extra})
    except (UndefinedComparison, UndefinedEnvironmentName):
        return False
