"""Read the table `[external]` of a pyproject.toml (PEP 725), and select from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn

from packaging.utils import NormalizedName, canonicalize_name

from nixpy.core.errors import InputError, NixpyError, nearest
from nixpy.core.toml_file import read_text, toml_line
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.external.depurl import Dependency, parse

TABLE = "external"
_GROUPS = "dependency-groups"

Role = Literal["build", "host", "run"]
"""When a dependency is needed: it runs during the build, the build links to it, or the project needs it at run time."""

_ROLES: Mapping[str, Role] = {"build-requires": "build", "host-requires": "host", "dependencies": "run"}
# The keys of a tool that implements the draft.
_ALIASES = {
    "build-host-requires": "host-requires",
    "optional-build-host-requires": "optional-host-requires",
}
# Named like the other keys, and as in conda.
_MEANT = {"run-requires": "dependencies", "optional-run-requires": "optional-dependencies"}


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """One valid table.

    `extras` and `groups` are separate name spaces. The items of `groups` are dependencies or names of groups.
    `default_groups` are those that are installed by default.
    """

    path: Path
    required: tuple[tuple[Role, Dependency], ...]
    extras: Mapping[NormalizedName, tuple[tuple[Role, Dependency], ...]]
    groups: Mapping[NormalizedName, tuple[Dependency | NormalizedName, ...]]
    default_groups: frozenset[NormalizedName]
    diagnostics: tuple[Diagnostic, ...] = field(default=(), repr=False)

    def select(
        self, extras: Iterable[NormalizedName], groups: Iterable[NormalizedName] | None
    ) -> tuple[tuple[Role, Dependency], ...]:
        """Return the dependencies with these extras and groups (None: the default ones).

        Unknown names are ignored.
        """
        found = [*self.required]
        for extra in extras:
            found += self.extras.get(extra, ())
        for group in sorted(self.default_groups if groups is None else groups):
            found += [("run", one) for one in self._members(group)] if group in self.groups else []
        return tuple(dict.fromkeys(found))

    def canonical(self, extras: Iterable[NormalizedName], groups: Iterable[NormalizedName] | None) -> tuple[str, ...]:
        """Return the selection as canonical lines.

        They are equal if and only if the dependencies are the same.
        """
        return tuple(f"external {role} {one}" for role, one in self.select(extras, groups))

    def _members(self, group: NormalizedName) -> Iterator[Dependency]:
        for item in self.groups[group]:
            if isinstance(item, Dependency):
                yield item
            else:
                yield from self._members(item)


def read(data: Mapping[str, Any], path: Path) -> External | None:
    """Return `[external]` of the document `data` in `path`, or None.

    Raises NixpyError, with the line, for everything that PEP 725 does not allow.
    """
    return _Reader(data, path).external() if TABLE in data else None


class _Reader:
    def __init__(self, data: Mapping[str, Any], path: Path) -> None:
        self._data, self._path = data, path
        self._table: Any = data[TABLE]
        self._diagnostics: list[Diagnostic] = []

    def external(self) -> External:
        table = self._settled()
        required: list[tuple[Role, Dependency]] = []
        extras: dict[NormalizedName, tuple[tuple[Role, Dependency], ...]] = {}
        for key, role in _ROLES.items():
            required += [(role, one) for one in self._list(table.get(key, []), key)]
            for name, items in self._names(table, f"optional-{key}").items():
                own = tuple((role, one) for one in self._list(items, f"optional-{key}", name))
                extra = canonicalize_name(name)
                extras[extra] = (*extras.get(extra, ()), *own)
        groups = self._groups(table)
        return External(
            path=self._path,
            required=tuple(required),
            extras=extras,
            groups=groups,
            default_groups=self._default_groups(groups),
            diagnostics=tuple(dict.fromkeys(self._diagnostics)),
        )

    def _fail(self, message: str, *keys: str, value: str | None = None, hint: str | None = None) -> NoReturn:
        # The pyproject.toml of an sdist is not on this machine.
        text = read_text(self._path) if self._path.is_file() else ""
        # The quotes distinguish an item from a longer one.
        quoted = next((one for one in (f'"{value}"', f"'{value}'") if one in text), value)
        line = toml_line(text, TABLE, *keys, value=quoted)
        raise InputError(message, hint=hint, path=self._path, line=line)

    def _settled(self) -> dict[str, Any]:
        """Return the table with current keys.

        Unknown keys are errors, since PEP 725 reserves them for later PEPs.
        """
        if not isinstance(self._table, dict):
            self._fail(f"`{TABLE}` must be a table", hint=f"Write [{TABLE}], as in PEP 725.")
        known = [*_ROLES, *(f"optional-{key}" for key in _ROLES), _GROUPS]
        found: dict[str, Any] = {}
        for key, value in self._table.items():
            today = _ALIASES.get(key, key)
            if today not in known:
                near = _MEANT.get(key) or nearest(key, known)
                hint = f"Did you mean `{near}`?" if near else f"Use one of {', '.join(known)}."
                self._fail(f"`{TABLE}.{key}` is not a key of PEP 725", key, hint=hint)
            if today in found or (today != key and today in self._table):
                self._fail(f"`{key}` and `{today}` are two names of one key", key, hint=f"Keep `{today}`.")
            if today != key:
                self._superseded(f"`{key}` of [{TABLE}] is now called `{today}`")
            found[today] = value
        return found

    def _superseded(self, message: str) -> None:
        hint = f"Change {self._path.name}: PEP 725 is a draft, and this is its current form."
        self._diagnostics.append(Diagnostic(code="NIX602", message=message, hint=hint))

    def _names(self, table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = table.get(key, {})
        if not isinstance(value, dict):
            self._fail(
                f"`{TABLE}.{key}` must be a table of lists", key, hint='Write name = ["dep:generic/zlib"] in it.'
            )
        seen: set[str] = set()
        for name in value:
            if (normal := canonicalize_name(name)) in seen:
                self._fail(f"`{normal}` occurs twice in `{TABLE}.{key}`", key, name, hint="Keep one of them.")
            seen.add(normal)
        return value

    def _list(self, items: Any, *keys: str) -> Iterator[Dependency]:
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            where = ".".join((TABLE, *keys))
            self._fail(f"`{where}` must be a list of strings", *keys, hint=f'Write {keys[-1]} = ["dep:generic/zlib"].')
        for item in items:
            yield self._dependency(item, *keys)

    def _dependency(self, text: str, *keys: str) -> Dependency:
        try:
            found = parse(text)
        except NixpyError as error:
            self._fail(error.message, *keys, value=text, hint=error.hint)
        if found.superseded:
            self._superseded(f"`{found.superseded}` is now written {found.bare}")
        return found

    def _groups(self, table: Mapping[str, Any]) -> dict[NormalizedName, tuple[Dependency | NormalizedName, ...]]:
        """Return the groups with each include checked.

        The included group exists, and there is no cycle.
        """
        groups = {
            canonicalize_name(name): tuple(self._group(items, name))
            for name, items in self._names(table, _GROUPS).items()
        }
        for group in groups:
            self._follow(groups, group, ())
        return groups

    def _group(self, items: Any, name: str) -> Iterator[Dependency | NormalizedName]:
        if not isinstance(items, list):
            self._fail(f"`{TABLE}.{_GROUPS}.{name}` must be a list", _GROUPS, name)
        for item in items:
            if isinstance(item, str):
                yield self._dependency(item, _GROUPS, name)
            elif isinstance(item, dict) and item.keys() == {"include-group"} and isinstance(item["include-group"], str):
                yield canonicalize_name(item["include-group"])
            else:
                message = f"the group `{name}` contains an item that is neither a dependency nor a group"
                hint = 'Write strings like "dep:generic/git" and tables like {include-group = "test"}, as in PEP 735.'
                self._fail(message, _GROUPS, name, hint=hint)

    def _follow(
        self,
        groups: Mapping[NormalizedName, Collection[Dependency | NormalizedName]],
        group: NormalizedName,
        above: tuple[NormalizedName, ...],
    ) -> None:
        if group in above:
            self._fail(f"the group `{group}` includes itself", _GROUPS, group, hint="Remove one include-group.")
        for item in groups[group]:
            if isinstance(item, Dependency):
                continue
            if item not in groups:
                hint = f"The groups are {', '.join(sorted(groups))}."
                self._fail(f"there is no group `{item}` in `{TABLE}.{_GROUPS}`", _GROUPS, group, hint=hint)
            self._follow(groups, item, (*above, group))

    def _default_groups(self, groups: Collection[NormalizedName]) -> frozenset[NormalizedName]:
        """Return the default groups: uv's setting, else `dev`.

        The rule is the same for groups of Python packages.
        """
        uv = self._data.get("tool", {}).get("uv", {})
        asked = uv.get("default-groups", ["dev"]) if isinstance(uv, dict) else ["dev"]
        if asked == "all":
            return frozenset(groups)
        names = [name for name in asked if isinstance(name, str)] if isinstance(asked, list) else []
        return frozenset(map(canonicalize_name, names)) & frozenset(groups)
