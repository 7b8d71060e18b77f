"""Walk the graph of an older poetry.lock.

Such a lock does not record the groups that require a package.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from packaging.utils import NormalizedName, canonicalize_name

from nixpy.core.target import Target
from nixpy.locks.poetry_constraints import allows
from nixpy.locks.requirements_tables import project_requirements
from nixpy.locks.validate import DamagedError, Table, holds, strings, tables, typed

if TYPE_CHECKING:
    from nixpy.locks.poetry_document import PoetryEntry

_PLATFORM = "sys_platform == '{}'"

_Step = tuple[NormalizedName, str, frozenset[NormalizedName]]
"""A required package, the allowed versions, and its extras."""


def reached(
    entries: Sequence[PoetryEntry],
    extras: Mapping[NormalizedName, Sequence[NormalizedName]],
    pyproject: Table,
    target: Target,
    chosen: AbstractSet[NormalizedName],
    groups: AbstractSet[NormalizedName],
) -> list[PoetryEntry]:
    """Return the entries that the project requires on `target`.

    They may be required indirectly.

    `extras` are those of the project, with their packages. Raises DamagedError if pyproject.toml is missing or
    invalid, or the lock lacks a required package.
    """
    if not pyproject:
        raise DamagedError("the project has no pyproject.toml, which holds its requirements")
    by_name: dict[NormalizedName, list[PoetryEntry]] = {}
    for entry in entries:
        by_name.setdefault(entry.package.name, []).append(entry)
    wanted = frozenset(name for extra in chosen for name in extras[extra])
    queue = deque(_direct(pyproject, target, wanted, frozenset(chosen), groups))
    seen = set(queue)
    found: dict[int, PoetryEntry] = {}
    while queue:
        name, constraint, active = queue.popleft()
        entry = _find(by_name.get(name, []), name, constraint, target)
        found[id(entry)] = entry
        for step in _edges(entry.table.get("dependencies", {}), target, active):
            if step not in seen:
                seen.add(step)
                queue.append(step)
    return list(found.values())


def _direct(
    pyproject: Table,
    target: Target,
    wanted: frozenset[NormalizedName],
    chosen: frozenset[NormalizedName],
    groups: AbstractSet[NormalizedName],
) -> Iterator[_Step]:
    tool = pyproject.get("tool", {})
    poetry = tool.get("poetry", {}) if isinstance(tool, dict) else {}
    for name, value in typed(poetry, "dependencies", dict, {}).items():
        if canonicalize_name(name) != "python":
            yield from _dependency(name, value, target, frozenset(), wanted)
    named = typed(poetry, "group", dict, {})
    for group, table in {"dev": {"dependencies": poetry.get("dev-dependencies", {})}, **named}.items():
        if canonicalize_name(group) in groups:
            yield from _edges(typed(table, "dependencies", dict, {}), target, frozenset())
    for one in project_requirements(pyproject, chosen, groups):
        if holds(str(one.marker) if one.marker else None, target):
            yield canonicalize_name(one.name), str(one.specifier) or "*", _names(one.extras)


def _edges(table: object, target: Target, active: frozenset[NormalizedName]) -> Iterator[_Step]:
    if not isinstance(table, dict):
        raise DamagedError("`dependencies` is not a table")
    for name, value in table.items():
        yield from _dependency(name, value, target, active, None)


def _dependency(
    name: str,
    value: Any,
    target: Target,
    active: frozenset[NormalizedName],
    wanted: AbstractSet[NormalizedName] | None,
) -> Iterator[_Step]:
    """Yield a dependency, in any of Poetry's spellings, if it applies.

    Optional ones only if they are `wanted`.
    """
    own = canonicalize_name(name)
    for one in tables(value) if isinstance(value, list) else [value]:
        if isinstance(one, str):
            yield own, one, frozenset()
            continue
        if not isinstance(one, dict):
            raise DamagedError(f"the dependency on {name} is neither a string nor a table")
        optional = typed(one, "optional", bool, default=False)
        if optional and wanted is not None and own not in wanted:
            continue
        if optional and wanted is None and "markers" not in one:
            continue
        marker = typed(one, "markers", str, "") or None
        platform = _PLATFORM.format(one["platform"]) if isinstance(one.get("platform"), str) else None
        if holds(marker, target, active) and holds(platform, target) and _python(one, target):
            yield own, typed(one, "version", str, "*"), _names(strings(one, "extras"))


def _python(table: Table, target: Target) -> bool:
    return allows(typed(table, "python", str, "*"), target.python)


def _find(entries: Sequence[PoetryEntry], name: str, constraint: str, target: Target) -> PoetryEntry:
    found = [entry for entry in entries if len(entries) == 1 or allows(constraint, entry.package.version or "0")]
    fitting = [entry for entry in found if allows(typed(entry.table, "python-versions", str, "*"), target.python)]
    found = fitting or found
    if not found:
        raise DamagedError(f"it has no package for {name} {constraint}")
    # If there are several, Poetry takes the newest.
    from packaging.version import Version

    return max(found, key=lambda entry: Version(entry.package.version or "0"))


def _names(names: Iterable[str]) -> frozenset[NormalizedName]:
    return frozenset(map(canonicalize_name, names))
