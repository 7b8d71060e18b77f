"""From the requirements of a wheel to the packages it asks for on one machine. Pure: no disk, no network."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name


def required(
    lines: Iterable[str], environment: Mapping[str, str], among: Collection[NormalizedName]
) -> tuple[NormalizedName, ...]:
    """Return which packages of `among` the requirements ask for where the markers have these values, sorted.

    Those of every extra count: what no extra in use asks for is hardly `among` the packages that a lock installs, and
    is no harm where it is. A line that cannot be read, as old tools wrote them, asks for nothing.
    """
    found = set()
    for line in lines:
        try:
            requirement = Requirement(line)
            name = canonicalize_name(requirement.name)
            if name in among and _may_hold(requirement, environment):
                found.add(name)
        except (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName):
            continue
    return tuple(sorted(found))


def _may_hold(requirement: Requirement, environment: Mapping[str, str]) -> bool:
    """Tell whether a requirement holds without an extra, or with the one that its marker names."""
    if requirement.marker is None:
        return True
    named = {canonicalize_name(word) for word in str(requirement.marker).split('"')[1::2]}
    return any(requirement.marker.evaluate({**environment, "extra": extra}) for extra in ("", *sorted(named)))
