"""Read poetry.lock: find what `poetry install` installs on any target.

nixpy reads lock versions 1.0 to 2.1.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, Self

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from nixpy.core.errors import LockError
from nixpy.core.target import Target
from nixpy.core.toml_file import load_toml, parse_toml, read_text, toml_line
from nixpy.locks.model import ExtrasAndGroups, LockDefaults, Package
from nixpy.locks.poetry_constraints import allows, alternatives
from nixpy.locks.poetry_document import TELLS_GROUPS, PoetryEntry, read_entries
from nixpy.locks.validate import DamagedError, Table, check_kinds, damaged_package, holds, strings, table_at, typed

_MAIN = canonicalize_name("main")
_AGAIN = "Run `poetry lock`."
# The keys of pyproject.toml that the lock depends on; those of the first line count even if they are not set.
_HASHED_ALWAYS = ("dependencies", "source", "extras", "dev-dependencies")
_HASHED_PROJECT = ("requires-python", "dependencies", "optional-dependencies")
_GROUPS_HASHED = Version("2.3")  # of Poetry


@dataclass(frozen=True, kw_only=True)
class PoetryLock(LockDefaults):
    """A poetry.lock of the project in the folder `root`.

    Its pyproject.toml names the optional groups.
    """

    path: Path
    root: Path
    text: str = field(repr=False)  # its addresses may contain credentials
    pythons: str
    version: Version
    content_hash: str
    extras: Mapping[NormalizedName, tuple[NormalizedName, ...]]
    entries: tuple[PoetryEntry, ...] = field(repr=False)

    @classmethod
    def read(cls, path: Path, root: Path | None = None) -> Self:
        """Return the lock in `path`.

        Raises LockError if it is missing, damaged or of a newer major version.
        """
        text = read_text(path)
        data = parse_toml(text, path)
        try:
            metadata = typed(data, "metadata", dict)
            if metadata and "lock-version" not in metadata:  # as in Poetry (packages/locker.py)
                message = "an old Poetry wrote this poetry.lock, which Poetry 2 does not read"
                raise LockError(message, hint=_AGAIN, path=path, line=toml_line(text, "metadata"))
            version = Version(typed(metadata, "lock-version", str))
            if version.major > TELLS_GROUPS.major:
                line = toml_line(text, "metadata", "lock-version")
                message = f"this poetry.lock has version {version}; this nixpy reads versions 1 and 2"
                raise LockError(message, hint="Update nixpy.", path=path, line=line)
            entries = tuple(read_entries(data, path, version))
            return cls(
                path=path,
                root=root or path.parent,
                text=text,
                pythons=typed(metadata, "python-versions", str, "*"),
                version=version,
                content_hash=typed(metadata, "content-hash", str, ""),
                extras={
                    canonicalize_name(name): tuple(map(_name_in, strings(data["extras"], name)))
                    for name in typed(data, "extras", dict, {})
                },
                entries=entries,
            )
        except (DamagedError, InvalidVersion) as error:
            raise _damaged(path, text, error) from None

    @property
    def requires_python(self) -> SpecifierSet | None:
        """The Python versions that the lock is for.

        Returns None if no single specifier set (PEP 440) expresses them.
        """
        try:
            found = alternatives(self.pythons)
        except DamagedError as error:
            raise _damaged(self.path, self.text, error) from None
        return found[0] if len(found) == 1 else None

    def packages(self, target: Target, extras_and_groups: ExtrasAndGroups) -> tuple[Package, ...]:
        """Return the packages that `poetry install` installs on `target`.

        They are sorted by name, each name once.

        These are the dependencies of the project and of its chosen extras and groups; without chosen groups, of every
        group that is not optional. Raises LockError for an extra or group that does not exist, and for a target that
        the lock was not made for.
        """
        try:
            if not allows(self.pythons, target.python):
                self._fail(
                    f"this lock is for Python {self.pythons}, not {target.python}",
                    "Choose a Python that the lock allows, or change that of the project and run `poetry lock`.",
                )
            self._refuse_unknown("extra", extras_and_groups.extras, self.extras)
            groups = self.groups(extras_and_groups)
            if self.version >= TELLS_GROUPS:
                found = [
                    entry for entry in self.entries if self._is_installed(entry, target, extras_and_groups, groups)
                ]
            else:
                from nixpy.locks.poetry_graph import reached

                found = reached(self.entries, self.extras, self.pyproject, target, extras_and_groups.extras, groups)
        except DamagedError as error:
            raise _damaged(self.path, self.text, error) from None
        packages = {entry.package.name: entry.package for entry in found}
        if len(packages) < len({(entry.package.name, entry.package.version) for entry in found}):
            names = [entry.package.name for entry in found]
            twice = next(name for name in names if names.count(name) > 1)
            self._fail(f"the lock installs {twice} twice on {target.system}", _AGAIN)
        return tuple(packages[name] for name in sorted(packages))

    def fresh(self) -> bool | None:
        """Return whether the lock is up to date with pyproject.toml.

        Returns None if that is unknown.

        Like Poetry, nixpy compares a hash of the values that the lock depends on.
        """
        if not self.pyproject or not self.content_hash:
            return None
        maker = re.search(r"Poetry (\d[\w.]*)", self.text.partition("\n")[0])
        try:
            hashes = {_content_hash(self.pyproject, groups=True)}
            if maker and Version(maker[1]) < _GROUPS_HASHED:
                hashes.add(_content_hash(self.pyproject, groups=False))
        except (DamagedError, InvalidVersion):
            return None
        return self.content_hash in hashes

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        """The project's pyproject.toml; empty if there is none."""
        path = self.root / "pyproject.toml"
        return load_toml(path) if path.is_file() else {}

    def _is_installed(
        self, entry: PoetryEntry, target: Target, extras_and_groups: ExtrasAndGroups, groups: frozenset[NormalizedName]
    ) -> bool:
        """Return whether one of the groups requires the package on `target`.

        Each may have its own marker.
        """
        markers = entry.table.get("markers")
        if not isinstance(markers, dict):
            check_kinds(entry.table, {"markers": str})
            return bool(entry.groups & groups) and holds(markers, target, extras_and_groups.extras)
        check_kinds(markers, dict.fromkeys(markers, str))
        by_group = {canonicalize_name(group): marker for group, marker in markers.items()}
        return any(holds(by_group.get(group), target, extras_and_groups.extras) for group in entry.groups & groups)

    def groups(self, extras_and_groups: ExtrasAndGroups) -> frozenset[NormalizedName]:
        """Return the groups to install: the main one, and those chosen.

        Without a choice, these are all that are not optional.
        """
        poetry = table_at(self.pyproject, "tool", "poetry")
        declared = {canonicalize_name(name): group for name, group in table_at(poetry, "group").items()}
        known = {_MAIN, *declared, *map(canonicalize_name, table_at(self.pyproject, "dependency-groups"))}
        known |= {canonicalize_name("dev")} if "dev-dependencies" in poetry else set()
        known = known.union(*(entry.groups for entry in self.entries))
        optional = {
            name for name, group in declared.items() if isinstance(group, dict) and group.get("optional") is True
        }
        self._refuse_unknown("group", extras_and_groups.groups or (), known)
        return frozenset(known - optional if extras_and_groups.groups is None else {_MAIN, *extras_and_groups.groups})

    def _refuse_unknown(self, kind: str, chosen: Iterable[str], known: Iterable[str]) -> None:
        if unknown := sorted(set(chosen) - set(known)):
            there = f"there are {', '.join(sorted(known))}" if known else f"there is no {kind} at all"
            self._fail(
                f"the lock has no {kind} `{unknown[0]}`: {there}",
                f"Correct the name; if the {kind} is new, run `poetry lock`.",
            )

    def _fail(self, message: str, hint: str) -> NoReturn:
        raise LockError(message, hint=hint, path=self.path)


def _name_in(requirement: str) -> NormalizedName:
    """Return the package in an item of an extra.

    Older versions wrote it with its constraint: `six (>=1)`.
    """
    return canonicalize_name(re.split(r"[ \[(]", requirement)[0])


def _content_hash(pyproject: Table, *, groups: bool) -> str:
    """Return Poetry's hash of the lock's inputs (its locker, `_get_content_hash`)."""
    tool_poetry = table_at(pyproject, "tool", "poetry")
    project = {key: value for key, value in table_at(pyproject, "project").items() if key in _HASHED_PROJECT}
    grouped = table_at(pyproject, "dependency-groups") if groups else {}
    standard: dict[str, Any] = {"project": project} if project else {}
    standard |= {"dependency-groups": grouped} if grouped else {}
    needed = () if standard else _HASHED_ALWAYS
    poetry = {key: tool_poetry.get(key) for key in (*_HASHED_ALWAYS, "group") if key in tool_poetry or key in needed}
    content = {**standard, "tool": {"poetry": poetry}} if standard else poetry
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _damaged(path: Path, text: str, error: Exception) -> LockError:
    line = damaged_package(text, error)
    return LockError(f"this poetry.lock is damaged: {error}", hint=_AGAIN, path=path, line=line)
