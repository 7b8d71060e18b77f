"""Compare the requirements in a uv.lock with those in pyproject.toml."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from nixpy.locks.model import Declared
from nixpy.locks.uv_document import DEPENDENCIES, Node, Section, damaged, extra_section, group_section, is_extra
from nixpy.locks.validate import Table

# If uv takes a package from a source that is not an index, the lock records no specifier.
_ELSEWHERE = ("git", "url", "path", "directory", "editable", "virtual")
_QUOTED = re.compile(r"""["']([^"']*)["']""")

_Holds = Callable[[str | None, AbstractSet[str]], bool]
"""Whether a marker is true on the target if these extras are active."""

_Wanted = tuple[frozenset[str], SpecifierSet | None]
"""The extras of a requirement, and its specifier, or None for any version."""

_Lists = dict[tuple[Section, str], set[_Wanted]]
"""The requirements by their list and the name of the package."""


def differences(path: Path, project: Node, declared: Declared, holds: _Holds) -> tuple[str, ...]:
    """Return the packages with changed requirements, sorted by name.

    The old ones are those of `project` in the lock at `path`, the new ones are `declared`. Each list is compared by
    itself: the dependencies, each extra, and each group.

    `holds` evaluates a marker for a set of active extras. Raises LockError if a specifier in the lock is damaged.
    """
    locked, now = _recorded(path, project, holds), _current(declared, holds)
    if declared.extras is None:
        locked = {key: wanted for key, wanted in locked.items() if not is_extra(key[0])}
    return tuple(sorted({key[1] for key in {*locked, *now} if not _agree(locked.get(key), now.get(key))}))


def _current(declared: Declared, holds: _Holds) -> _Lists:
    lists: Mapping[Section, Iterable[Requirement]] = {
        DEPENDENCIES: declared.dependencies,
        **{extra_section(name): wanted for name, wanted in (declared.extras or {}).items()},
        **{group_section(name): wanted for name, wanted in declared.groups.items()},
    }
    found: _Lists = {}
    for section, wanted in lists.items():
        for one in wanted:
            if holds(None if one.marker is None else str(one.marker), frozenset()):
                key = (section, canonicalize_name(one.name))
                specifier = None if one.url else one.specifier
                found.setdefault(key, set()).add((frozenset(map(canonicalize_name, one.extras)), specifier))
    return found


def _recorded(path: Path, project: Node, holds: _Holds) -> _Lists:
    metadata: Table = project.metadata or {}
    found: _Lists = {}

    def add(section: Section, entry: Table) -> None:
        anywhere = any(key in entry for key in _ELSEWHERE)
        one = (frozenset(entry.get("extras", ())), None if anywhere else _specifier(path, entry))
        found.setdefault((section, entry["name"]), set()).add(one)

    for entry in metadata.get("requires-dist", ()):
        for section in _sections(entry.get("marker"), holds):
            add(section, entry)
    for group, entries in metadata.get("requires-dev", {}).items():
        for entry in entries:
            if holds(entry.get("marker"), frozenset()):
                add(group_section(group), entry)
    return found


def _sections(marker: str | None, holds: _Holds) -> Iterator[Section]:
    """Yield the lists that an entry of `requires-dist` belongs to.

    These are the dependencies, or those of extras.
    """
    if holds(marker, frozenset()):
        yield DEPENDENCIES
    elif marker and "extra" in marker:
        yield from (extra_section(word) for word in dict.fromkeys(_QUOTED.findall(marker)) if holds(marker, {word}))


def _specifier(path: Path, entry: Table) -> SpecifierSet:
    try:
        return SpecifierSet(entry.get("specifier", ""))
    except InvalidSpecifier as error:
        raise damaged(path, error) from None


def _agree(locked: set[_Wanted] | None, now: set[_Wanted] | None) -> bool:
    if locked is None or now is None:
        return False
    if any(specifier is None for _, specifier in locked | now):
        return {extras for extras, _ in locked} == {extras for extras, _ in now}
    return locked == now
