"""Walk the graph of a pdm.lock that does not record the groups of packages.

PDM before 2.11 writes such locks, and PDM without the strategy `inherit_metadata`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from nixpy.core.errors import NixpyError
from nixpy.core.target import Target
from nixpy.locks.requirement_lines import Location, requirement_line
from nixpy.locks.requirements_tables import project_requirements
from nixpy.locks.validate import DamagedError, Table, holds, strings, table_at

if TYPE_CHECKING:
    from nixpy.locks.pdm_document import PdmEntry

_EDITABLE = "-e "


def reached(
    entries: Sequence[PdmEntry],
    pyproject: Table,
    path: Path,
    target: Target,
    groups: AbstractSet[str],
) -> list[PdmEntry]:
    """Return the entries that the project requires on `target`.

    They may be required indirectly. `path` is the lock; the extras of the project are among the `groups`. Raises
    DamagedError if pyproject.toml is missing or invalid, or the lock lacks a required package.
    """
    if not pyproject:
        raise DamagedError("the project has no pyproject.toml, which holds its requirements")
    by_name: dict[tuple[str, frozenset[str]], list[PdmEntry]] = {}
    for entry in entries:
        by_name.setdefault((entry.package.name, entry.extras), []).append(entry)
    lines = [line for group, lines in own_groups(pyproject).items() if group in groups for line in lines]
    queue = deque([*project_requirements(pyproject, groups, groups), *_parsed(lines, path)])
    seen: set[tuple[str, frozenset[str], str]] = set()
    found: dict[int, PdmEntry] = {}
    while queue:
        one = queue.popleft()
        step = (canonicalize_name(one.name), frozenset(map(canonicalize_name, one.extras)), str(one.specifier))
        if step in seen or not holds(str(one.marker) if one.marker else None, target):
            continue
        seen.add(step)
        entry = _find(by_name.get(step[:2], []), one, target)
        found[id(entry)] = entry
        queue.extend(_parsed(entry.dependencies, path))
    return list(found.values())


def own_groups(pyproject: Table) -> dict[str, tuple[str, ...]]:
    """Return the groups in PDM's own table, by their normalised names."""
    table = table_at(pyproject, "tool", "pdm", "dev-dependencies")
    return {canonicalize_name(name): strings(table, name) for name in table}


def _parsed(lines: Iterable[str], path: Path) -> Iterator[Requirement]:
    for line in lines:
        text = line.removeprefix(_EDITABLE).strip()
        where = Location(path=path, line=0, raw=text)
        try:
            found = requirement_line(where, text, text, path.parent, editable=text != line.strip()).requirement
        except NixpyError as error:
            raise DamagedError(error.message) from None
        if found is None:
            raise DamagedError(f"`{where.shown}` requires a package without a name")
        yield found


def _find(entries: Sequence[PdmEntry], one: Requirement, target: Target) -> PdmEntry:
    """Return the newest entry that the requirement and the target allow."""
    found = [
        entry
        for entry in entries
        if holds(entry.marker, target)
        and entry.requires_python.contains(target.python)
        and (entry.package.version is None or one.specifier.contains(entry.package.version, prereleases=True))
    ]
    if not found:
        raise DamagedError(f"it has no package for {one}")
    return max(found, key=lambda entry: Version(entry.package.version or "0"))
