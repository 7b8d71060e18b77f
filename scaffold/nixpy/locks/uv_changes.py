"""Compare the requirements in a uv.lock with those in pyproject.toml."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from nixpy.core import limits
from nixpy.locks.uv_document import Node, damaged
from nixpy.locks.validate import Table

# If uv takes a package from a source that is not an index, the lock records no specifier.
_ELSEWHERE = ("git", "url", "path", "directory", "editable", "virtual")

_Holds = Callable[[str | None, AbstractSet[str]], bool]
"""Whether a marker is true on the target if these extras are active."""

_Wanted = tuple[frozenset[str], SpecifierSet | None]
"""The extras of a requirement, and its specifier, or None for any version."""


def differences(
    path: Path,
    project: Node,
    requirements: Iterable[Requirement],
    *,
    extras: frozenset[str],
    groups: frozenset[str],
    holds: _Holds,
) -> tuple[str, ...]:
    """Return the packages with changed requirements, sorted by name.

    The old ones are those of `project` in the lock at `path`, the new ones are `requirements`.

    `extras` and `groups` are the chosen ones; `holds` evaluates a marker for a set of active extras. Raises LockError
    if a specifier in the lock is damaged.
    """
    locked = _by_name(_recorded(path, project, extras, groups, holds))
    now = _by_name(_current(project, requirements, extras, holds))
    return tuple(name for name in sorted({*locked, *now}) if not _agree(locked.get(name), now.get(name)))


def _current(
    project: Node, requirements: Iterable[Requirement], extras: frozenset[str], holds: _Holds
) -> Iterator[tuple[str, _Wanted]]:
    for one in requirements:
        marker = None if one.marker is None else str(one.marker)
        name = canonicalize_name(one.name)
        if name != project.name and holds(marker, extras):
            yield name, (frozenset(map(canonicalize_name, one.extras)), None if one.url else one.specifier)


def _recorded(
    path: Path, project: Node, extras: frozenset[str], groups: frozenset[str], holds: _Holds
) -> Iterator[tuple[str, _Wanted]]:
    metadata: Table = project.metadata or {}
    entries: list[Table] = list(metadata.get("requires-dist", ()))
    for group in groups:
        entries += metadata.get("requires-dev", {}).get(group, ())
    active = set(extras)
    own = [entry for entry in entries if entry["name"] == project.name]
    for _ in range(limits.CHAIN):  # an extra may name other extras of its project, which may name others
        asked = [entry for entry in own if holds(entry.get("marker"), active)]
        if not (more := {extra for entry in asked for extra in entry.get("extras", ())} - active):
            break
        active |= more
    for entry in entries:
        if entry["name"] != project.name and holds(entry.get("marker"), active):
            anywhere = any(key in entry for key in _ELSEWHERE)
            specifier = None if anywhere else _specifier(path, entry)
            yield entry["name"], (frozenset(entry.get("extras", ())), specifier)


def _specifier(path: Path, entry: Table) -> SpecifierSet:
    try:
        return SpecifierSet(entry.get("specifier", ""))
    except InvalidSpecifier as error:
        raise damaged(path, error) from None


def _by_name(wanted: Iterable[tuple[str, _Wanted]]) -> dict[str, set[_Wanted]]:
    found: dict[str, set[_Wanted]] = {}
    for name, one in wanted:
        found.setdefault(name, set()).add(one)
    return found


def _agree(locked: set[_Wanted] | None, now: set[_Wanted] | None) -> bool:
    if locked is None or now is None:
        return False
    if any(specifier is None for _, specifier in locked | now):
        return {extras for extras, _ in locked} == {extras for extras, _ in now}
    return locked == now
