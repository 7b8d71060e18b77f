"""Whether a uv.lock still belongs to its pyproject.toml: what it was made for, against what is asked now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from nixpy.locks.model import Choice
from nixpy.locks.shape import Table
from nixpy.locks.uv_document import Node, damaged
from nixpy.target import Target

if TYPE_CHECKING:
    from nixpy.locks.uv import UvLock

# Where uv takes a package from elsewhere than an index, the lock records no specifier.
_ELSEWHERE = ("git", "url", "path", "directory", "editable", "virtual")

_Wanted = tuple[frozenset[str], SpecifierSet | None]
"""The extras of a requirement, and its specifier; None where any version would do."""


def differences(
    lock: UvLock, requirements: Iterable[Requirement], target: Target, choice: Choice
) -> tuple[str, ...] | None:
    """Do what `UvLock.differences` says."""
    projects = [node for node in lock.roots if node is not lock.document.manifest]
    if len(projects) != 1 or (metadata := projects[0].metadata) is None:
        return None
    locked = _by_name(_recorded(lock, projects[0], metadata, target, choice))
    now = _by_name(_asked(lock, projects[0], requirements, target, choice))
    return tuple(name for name in sorted({*locked, *now}) if not _agree(locked.get(name), now.get(name)))


def _asked(
    lock: UvLock, project: Node, requirements: Iterable[Requirement], target: Target, choice: Choice
) -> Iterator[tuple[str, _Wanted]]:
    for one in requirements:
        marker = None if one.marker is None else str(one.marker)
        name = canonicalize_name(one.name)
        if name != project.name and lock.holds(marker, target, choice.extras):
            extras = frozenset(canonicalize_name(extra) for extra in one.extras)
            yield name, (extras, None if one.url else one.specifier)


def _recorded(
    lock: UvLock, project: Node, metadata: Table, target: Target, choice: Choice
) -> Iterator[tuple[str, _Wanted]]:
    entries: list[Table] = list(metadata.get("requires-dist", ()))
    for group in lock.groups(choice):
        entries += metadata.get("requires-dev", {}).get(group, ())
    extras = set(lock.extras(choice))
    own = [entry for entry in entries if entry["name"] == project.name]
    for _ in own:  # an extra may name other extras of its project, and they others
        asked = [entry for entry in own if lock.holds(entry.get("marker"), target, extras)]
        extras.update(extra for entry in asked for extra in entry.get("extras", ()))
    for entry in entries:
        if entry not in own and lock.holds(entry.get("marker"), target, extras):
            anywhere = any(key in entry for key in _ELSEWHERE)
            specifier = None if anywhere else _specifier(lock, entry)
            yield entry["name"], (frozenset(entry.get("extras", ())), specifier)


def _specifier(lock: UvLock, entry: Table) -> SpecifierSet:
    try:
        return SpecifierSet(entry.get("specifier", ""))
    except InvalidSpecifier as error:
        raise damaged(lock.path, error) from None


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
