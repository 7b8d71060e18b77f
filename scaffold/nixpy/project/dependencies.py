"""Read the requirements in `pyproject.toml`.

They are in `[project]`, its extras, and dependency groups (PEP 508, 621 and 735).
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.dependency_groups import CyclicDependencyGroup, DependencyGroupInclude, DependencyGroupResolver
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from nixpy.core import limits
from nixpy.core.errors import NixpyError, ProjectError
from nixpy.core.requirement import canonical_requirement, under
from nixpy.core.toml_file import read_text, toml_line
from nixpy.core.urls import plain, shown_text, split
from nixpy.locks import formats
from nixpy.locks.model import Declared
from nixpy.project import dynamic

# The keys of [tool.uv] that affect the choice of versions.
_UV_KEYS = (
    "constraint-dependencies",
    "dependency-metadata",
    "environments",
    "exclude-dependencies",
    "exclude-newer",
    "override-dependencies",
    "prerelease",
    "resolution",
    "sources",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """The dependencies of one `pyproject.toml`.

    `optional` maps extras to their requirements as written; `groups` maps group names to their unparsed lists, since
    PEP 735 requires that tools parse only used groups. `default_groups` are those that `uv sync` installs by default.
    """

    path: Path
    name: NormalizedName | None
    requires_python: SpecifierSet | None
    dependencies: tuple[Requirement, ...]
    optional: Mapping[NormalizedName, tuple[Requirement, ...]]
    groups: Mapping[NormalizedName, tuple[object, ...]]
    default_groups: frozenset[NormalizedName]
    complete: bool = True  # False: more of them are in a place that only a build or another tool can read
    version_known: bool = True  # False: only a build shows the version of the project
    extras_known: bool = True  # False: only a build or another tool knows all extras
    groups_known: bool = True  # False: tables of Poetry or PDM have more, and no lock records them
    uv: Mapping[str, Any] = field(default_factory=dict, repr=False)  # the part of [tool.uv] that affects the resolution

    @classmethod
    def from_pyproject(cls, data: Mapping[str, Any], path: Path, *, locked: bool = False) -> Dependencies:
        """Return the dependencies in the document `data`, read from `path`.

        Raises ProjectError, with the line, for a value of the wrong type, for an invalid requirement, and if the
        dependencies are not in the file: dynamic ones, or Poetry's own table without `[project]`. For a `locked`
        project these are in the lock, and the result lacks them, unless `dynamic` reads them from requirements files.
        """
        reader = Reader(data, path)
        project = reader.table("project")
        elsewhere = "project" not in data and "poetry" in reader.table("tool")
        left_out = reader.strings("project", "dynamic")
        if elsewhere and not locked:
            raise reader.error(
                "the dependencies are in Poetry's own table, which nixpy does not read",
                "tool",
                "poetry",
                hint=_lock_hint("poetry"),
            )
        if "dependencies" in left_out and not locked:
            raise reader.error(
                "`dependencies` is dynamic: only the build backend can compute them",
                "project",
                "dynamic",
                hint=_lock_hint("uv"),
            )
        name = project.get("name")
        if name is not None and not isinstance(name, str):
            raise reader.error("`project.name` must be a string", "project", "name")
        groups = reader.groups()
        others = reader.foreign_groups()
        foreign = others if locked else frozenset()
        groups |= dict.fromkeys(foreign - groups.keys(), ())
        from_files = dynamic.dependencies(data, path.parent) if "dependencies" in left_out else ()
        extras_from_files = dynamic.optional(data, path.parent) if "optional-dependencies" in left_out else {}
        return cls(
            path=path,
            complete=not (elsewhere or from_files is None or foreign),
            name=None if name is None else reader.name(name, "project", "name"),
            requires_python=reader.requires_python(),
            dependencies=(*reader.requirements("project", "dependencies"), *(from_files or ())),
            optional={
                reader.name(extra, *keys): reader.requirements(*keys)
                for extra in reader.table("project", "optional-dependencies")
                for keys in [("project", "optional-dependencies", extra)]
            }
            | {canonicalize_name(extra): wanted for extra, wanted in (extras_from_files or {}).items()},
            groups=groups,
            default_groups=reader.default_groups(groups),
            version_known="version" in project,
            extras_known=not elsewhere and extras_from_files is not None,
            groups_known=locked or not others,
            uv={key: value for key, value in reader.table("tool", "uv").items() if key in _UV_KEYS},
        )

    def select(self, extras: Iterable[str] = (), groups: Iterable[str] | None = None) -> tuple[Requirement, ...]:
        """Return the requirements of the project with these extras and groups.

        None means the default groups.

        Extras of the project itself (`demo[fast]` in `demo`) are replaced by their requirements, with the same marker.
        Raises ProjectError for an extra or group that does not exist or is not valid.
        """
        found = list(self.dependencies)
        for extra in sorted({canonicalize_name(extra) for extra in extras}):
            if extra not in self.optional:
                raise self._unknown("extra", extra, self.optional, "project", "optional-dependencies")
            found += self.optional[extra]
        for group in self.selected_groups(groups):
            found += self._group(group)
        return tuple(self._without_self(found))

    def selected_groups(self, groups: Iterable[str] | None) -> tuple[NormalizedName, ...]:
        """Return the normalised names of the groups, sorted; None means the default ones."""
        wanted = self.default_groups if groups is None else {canonicalize_name(group) for group in groups}
        if missing := sorted(wanted - set(self.groups)):
            raise self._unknown("dependency group", missing[0], self.groups, "dependency-groups")
        return tuple(sorted(wanted))

    @property
    def declared(self) -> Declared:
        """The requirements as written, except that a group has those that it includes.

        Invalid groups are left out, since PEP 735 requires that tools parse only used groups.
        """
        groups = {}
        for group in self.groups:
            with suppress(ProjectError):
                groups[group] = self._group(group)
        return Declared(
            dependencies=self.dependencies, extras=self.optional if self.extras_known else None, groups=groups
        )

    def canonical(self, extras: Iterable[str] = (), groups: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return the selection as sorted, normalised text.

        It is equal if and only if the requirements are the same.

        It includes sources, constraints and overrides in `[tool.uv]`, but no credentials.
        """
        lines = {canonical_requirement(requirement) for requirement in self.select(extras, groups)}
        lines |= {f"uv {key} {_canonical_json(value)}" for key, value in self.uv.items()}
        return tuple(sorted(lines))

    def _group(self, group: NormalizedName) -> tuple[Requirement, ...]:
        try:
            return tuple(map(_checked, self._included(group)))
        except (ExceptionGroup, CyclicDependencyGroup, NixpyError) as error:
            first = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            reason = str(first).partition("\n")[0]
            raise ProjectError(
                f"the dependency group `{group}` is not valid: {reason}",
                hint='Write strings like `numpy>=2` and tables like `{include-group = "test"}`, as in PEP 735.',
                path=self.path,
                line=_line(self.path, "dependency-groups", group),
            ) from None

    def _included(self, group: NormalizedName) -> Iterator[Requirement]:
        """Yield the requirements of a group and of those that it includes.

        Each group is included once.
        """
        resolver = DependencyGroupResolver(self.groups)  # type: ignore[arg-type]  # it validates its argument
        entered = {group}
        path = [(group, iter(resolver.lookup(group)))]
        while path:
            name, items = path[-1]
            item = next(items, None)
            if item is None:
                path.pop()
            elif not isinstance(item, DependencyGroupInclude):
                yield item
            elif any(above == (other := canonicalize_name(item.include_group)) for above, _ in path):
                raise CyclicDependencyGroup(group, name, other)
            elif len(path) >= limits.CHAIN:
                raise ProjectError(f"more than {limits.CHAIN} groups include each other in a chain")
            elif other not in entered:
                entered.add(other)
                path.append((other, iter(resolver.lookup(other))))

    def _without_self(self, requirements: Iterable[Requirement]) -> Iterator[Requirement]:
        """Replace the project's own extras by their requirements.

        Each is replaced once for each marker, so cycles end.
        """
        nothing: tuple[str, ...] = ()
        waiting = deque((requirement, nothing) for requirement in requirements)
        seen: set[tuple[str, str]] = set()
        while waiting:
            requirement, above = waiting.popleft()
            if self.name is None or canonicalize_name(requirement.name) != self.name:
                yield requirement
                continue
            for extra in sorted({canonicalize_name(extra) for extra in requirement.extras} - set(above)):
                if extra not in self.optional:
                    raise self._unknown("extra", extra, self.optional, "project", "optional-dependencies")
                if (key := (extra, str(requirement.marker or ""))) in seen:
                    continue
                seen.add(key)
                if len(above) >= limits.CHAIN or len(seen) > limits.EXTRAS:
                    raise self._tangled(extra)
                inside = (under(other, requirement.marker) for other in self.optional[extra])
                waiting += [(other, (*above, extra)) for other in inside]

    def _tangled(self, extra: str) -> ProjectError:
        return ProjectError(
            f"the extra `{extra}` ends a chain of {limits.CHAIN} extras, or is reached with more than "
            f"{limits.EXTRAS:,} combinations of extra and marker",
            hint="List the requirements of the extras themselves.",
            path=self.path,
            line=_line(self.path, "project", "optional-dependencies", extra),
        )

    def _unknown(self, kind: str, name: str, known: Collection[str], *keys: str) -> ProjectError:
        hint = f"Use one of {', '.join(sorted(known))}." if known else f"The project has no {kind}."
        line = _line(self.path, *keys)
        return ProjectError(f"there is no {kind} `{name}`", hint=hint, path=self.path, line=line)


def _checked(requirement: Requirement) -> Requirement:
    """Return a requirement.

    Raises NixpyError if its address, which packaging does not check, is not a URL.
    """
    if requirement.url:
        split(requirement.url)
    return requirement


def _canonical_json(value: Any) -> str:
    """Return a setting of uv as JSON, sorted and with normalised requirements."""

    def canonical(item: Any) -> Any:
        if isinstance(item, Mapping):
            return {str(key): canonical(each) for key, each in item.items()}
        if isinstance(item, list):
            return sorted((canonical(each) for each in item), key=json.dumps)
        return plain(item) if isinstance(item, str) else item

    return json.dumps(canonical(value), sort_keys=True, default=str)


def _line(path: Path, *keys: str, value: str | None = None) -> int | None:
    """Return the line of a key for a message, or None.

    The file may have changed since it was read.
    """
    try:
        text = read_text(path)
    except NixpyError:
        return None
    return toml_line(text, *keys, value=value)


class Reader:
    """A document that checks the types of its values on access."""

    def __init__(self, data: Mapping[str, Any], path: Path) -> None:
        self._data = data
        self._path = path

    def error(self, message: str, *keys: str, value: str | None = None, hint: str | None = None) -> ProjectError:
        """Return an error with the line of `keys`, or of the item `value` there."""
        return ProjectError(message, hint=hint, path=self._path, line=_line(self._path, *keys, value=value))

    def table(self, *keys: str) -> Mapping[str, Any]:
        """Return the table at `keys`, empty if there is none."""
        node: Any = self._data
        for depth, key in enumerate(keys, start=1):
            node = node.get(key, {})
            if not isinstance(node, dict):
                raise self.error(f"`{'.'.join(keys[:depth])}` must be a table", *keys[:depth])
        return node  # type: ignore[no-any-return]

    def strings(self, *keys: str) -> tuple[str, ...]:
        """Return the list of strings at `keys`, empty if there is none."""
        value = self.table(*keys[:-1]).get(keys[-1], [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(f"`{'.'.join(keys)}` must be a list of strings", *keys, hint=f'Write {keys[-1]} = ["…"].')
        return tuple(value)

    def name(self, text: str, *keys: str) -> NormalizedName:
        """Return the normalised name of a project or an extra, at `keys`."""
        try:
            return canonicalize_name(text, validate=True)
        except InvalidName:
            raise self.error(
                f"`{shown_text(text)}` is not a valid name",
                *keys,
                hint="A name has ASCII letters, digits, `-`, `_` and `.`, and begins and ends with a letter or digit.",
            ) from None

    def requirements(self, *keys: str) -> tuple[Requirement, ...]:
        """Return the requirements in the list at `keys`."""
        return tuple(self._requirement(item, *keys) for item in self.strings(*keys))

    def _requirement(self, text: str, *keys: str) -> Requirement:
        try:
            return _checked(Requirement(text))
        except (InvalidRequirement, NixpyError) as error:
            reason = str(error).partition("\n")[0]
            raise self.error(
                f"`{shown_text(text)}` in `{'.'.join(keys)}` is not a requirement: {reason}",
                *keys,
                value=text,
                hint="Write it as in PEP 508: numpy>=2, numpy[extra]; sys_platform == 'linux', or name @ URL.",
            ) from None

    def requires_python(self) -> SpecifierSet | None:
        """Return `requires-python`, or None if it is not set."""
        value = self.table("project").get("requires-python")
        if value is None:
            return None
        try:
            return SpecifierSet(value)
        except (InvalidSpecifier, TypeError, AttributeError):
            raise self.error(
                f"`requires-python` is not a version specifier: {value!r}",
                "project",
                "requires-python",
                hint='Write requires-python = ">=3.11".',
            ) from None

    def groups(self) -> dict[NormalizedName, tuple[object, ...]]:
        """Return `[dependency-groups]` by normalised name.

        uv's older `dev-dependencies` belong to `dev`.
        """
        found: dict[NormalizedName, tuple[object, ...]] = {}
        for name, items in self.table("dependency-groups").items():
            group = canonicalize_name(name)
            if group in found:
                raise self.error(f"the dependency group `{group}` occurs twice", "dependency-groups", name)
            if not isinstance(items, list):
                raise self.error(f"`dependency-groups.{name}` must be a list", "dependency-groups", name)
            found[group] = tuple(items)
        dev = canonicalize_name("dev")
        if legacy := self.strings("tool", "uv", "dev-dependencies"):
            found[dev] = (*found.get(dev, ()), *legacy)
        return found

    def foreign_groups(self) -> frozenset[NormalizedName]:
        """Return the names of groups in tables of Poetry and PDM.

        Only their locks record the requirements.
        """
        tables = (self.table("tool", "poetry", "group"), self.table("tool", "pdm", "dev-dependencies"))
        return frozenset(canonicalize_name(name) for table in tables for name in table)

    def default_groups(self, groups: Mapping[NormalizedName, object]) -> frozenset[NormalizedName]:
        """Return the groups that uv installs by default.

        These are `default-groups`, else `dev` if there is such a group.
        """
        if "default-groups" not in (uv := self.table("tool", "uv")):
            return frozenset(groups) & {canonicalize_name("dev")}
        if uv["default-groups"] == "all":
            return frozenset(groups)
        return frozenset(canonicalize_name(name) for name in self.strings("tool", "uv", "default-groups"))


def _lock_hint(tool: str) -> str:
    lock_format = formats.by_tool(tool)
    return f"Lock the project with `{lock_format.relock}`; nixpy then reads {lock_format.name}."
