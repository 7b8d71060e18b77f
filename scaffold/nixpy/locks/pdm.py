"""Read pdm.lock: find what `pdm sync` installs on any target.

Source: PDM's own format, versions 3.1 to 4.5, all that `pdm sync` reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, Self

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from nixpy.core.errors import LockError
from nixpy.core.target import Target
from nixpy.core.toml_file import load_toml, parse_toml, read_text, toml_line
from nixpy.locks.model import ExtrasAndGroups, LockDefaults, Package
from nixpy.locks.pdm_document import PdmEntry, read_entries
from nixpy.locks.validate import (
    DamagedError,
    Table,
    check_kinds,
    damaged_package,
    holds,
    strings,
    table_at,
    tables,
    typed,
)

_DEFAULT = canonicalize_name("default")  # the project's own dependencies, among the groups of a lock
_VERSIONS = SpecifierSet(">=3.1,<4.6")
_SHORT = {"linux": "linux_x86_64", "macos": "macos_arm64"}  # platforms with a default processor
# From this version of the lock on, its hash covers all of `tool.pdm.resolution`, and always `[dependency-groups]`.
_HASHES_ALL, _HASHES_GROUPS = Version("4.4.2"), Version("4.5.1")
_AGAIN = "Run `pdm lock`."


@dataclass(frozen=True, kw_only=True)
class PdmLock(LockDefaults):
    """A pdm.lock of the project in the folder `root`.

    Its pyproject.toml distinguishes extras from groups.
    """

    path: Path
    root: Path
    metadata: Table
    targets: tuple[tuple[SpecifierSet, str | None], ...]  # the Python versions and the platform of each
    entries: tuple[PdmEntry, ...] = field(repr=False)  # their addresses may contain credentials

    @classmethod
    def read(cls, path: Path, root: Path | None = None) -> Self:
        """Return the lock in `path`.

        Raises LockError if it is missing, damaged, or of a version that nixpy does not read.
        """
        text = read_text(path)
        data = parse_toml(text, path)
        base = root or path.parent
        try:
            metadata = typed(data, "metadata", dict)
            version = Version(typed(metadata, "lock_version", str))
            if version not in _VERSIONS:
                raise LockError(
                    f"this pdm.lock has version {version}; this nixpy reads versions 3.1 to 4.5",
                    hint="Update nixpy." if version >= Version("4.6") else _AGAIN,
                    path=path,
                    line=toml_line(text, "metadata", "lock_version"),
                )
            _check_addresses(data, metadata)
            strings(metadata, "groups")
            check_kinds(metadata, {"content_hash": str})
            pyproject = base / "pyproject.toml"
            indexes = _indexes(load_toml(pyproject) if pyproject.is_file() else {})
            return cls(
                path=path,
                root=base,
                metadata=metadata,
                targets=tuple(_targets(metadata)),
                entries=tuple(read_entries(data, base, indexes)),
            )
        except (DamagedError, InvalidVersion, InvalidSpecifier) as error:
            raise _damaged(path, text, error) from None

    @property
    def requires_python(self) -> SpecifierSet | None:
        """The Python versions that the lock is for.

        Returns None if several targets have different ones.
        """
        pythons = {specifiers for specifiers, _ in self.targets}
        return pythons.pop() if len(pythons) == 1 else None

    def admits(self, target: Target) -> bool:
        """Return whether a target of the lock covers `target`."""
        return not self.targets or any(_covers(one, target) for one in self.targets)

    def packages(self, target: Target, extras_and_groups: ExtrasAndGroups) -> tuple[Package, ...]:
        """Return the packages that `pdm sync` installs on `target`.

        They are sorted by name, each name once.

        These are the dependencies of the project and of its chosen extras and groups. Without chosen groups, all groups
        count, and without any choice also all extras. Raises LockError for an extra or group that the lock lacks, and
        for a target that it was not made for.
        """
        if not self.admits(target):
            self._fail(
                f"this lock is not for {target.system} with Python {target.python}",
                "Choose another system or Python, or add this one: `pdm lock --append --platform … --python …`.",
            )
        found: dict[NormalizedName, Package] = {}
        try:
            for entry in self._installed(target, self.groups(extras_and_groups)):
                package = entry.package
                if found.setdefault(package.name, package).version != package.version:
                    self._fail(f"the lock installs {package.name} twice on {target.system}", _AGAIN)
        except DamagedError as error:
            raise _damaged(self.path, "", error) from None
        return tuple(found[name] for name in sorted(found))

    def _installed(self, target: Target, groups: frozenset[NormalizedName]) -> Iterable[PdmEntry]:
        """Return the entries that the groups, extras among them, require on `target`."""
        if "inherit_metadata" in strings(self.metadata, "strategy"):
            return [entry for entry in self.entries if entry.groups & groups and holds(entry.marker, target)]
        from nixpy.locks.pdm_graph import reached

        return reached(self.entries, self.pyproject, self.path, target, groups)

    def fresh(self) -> bool | None:
        """Return whether the lock is up to date with pyproject.toml.

        Returns None if that is unknown.

        Like PDM, nixpy compares a hash of the values that the lock depends on (`content_hash`).
        """
        algorithm, _, digest = self.metadata.get("content_hash", "").partition(":")
        if not self.pyproject or algorithm != "sha256" or "lock_inputs" in self.metadata:
            return None
        try:
            workspace = "workspace" in table_at(self.pyproject, "tool", "pdm")
            version = Version(self.metadata["lock_version"])
            return None if workspace else digest in _content_hashes(self.pyproject, version)
        except DamagedError:
            return None

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        """The project's pyproject.toml; empty if there is none."""
        path = self.root / "pyproject.toml"
        return load_toml(path) if path.is_file() else {}

    def groups(self, extras_and_groups: ExtrasAndGroups) -> frozenset[NormalizedName]:
        """Return the groups of the lock to install; extras are among them.

        Older locks do not list their groups: they have all of pyproject.toml, and PDM installs extras only if they are
        chosen.
        """
        optional = frozenset(map(canonicalize_name, table_at(self.pyproject, "project", "optional-dependencies")))
        listed = "groups" in self.metadata
        locked = frozenset(map(canonicalize_name, self.metadata["groups"])) if listed else optional | self._own_groups
        extras = locked & optional
        self._refuse_unknown("extra", extras_and_groups.extras, extras if self.pyproject else locked)
        self._refuse_unknown("group", extras_and_groups.groups or (), locked - extras)
        if extras_and_groups.groups is None:
            every = listed and not extras_and_groups.extras
            return locked if every else locked - extras | extras_and_groups.extras
        return frozenset({_DEFAULT}) | extras_and_groups.groups | extras_and_groups.extras

    @property
    def _own_groups(self) -> frozenset[NormalizedName]:
        """The groups in pyproject.toml."""
        tables = (
            table_at(self.pyproject, "dependency-groups"),
            table_at(self.pyproject, "tool", "pdm", "dev-dependencies"),
        )
        return frozenset({_DEFAULT, *(canonicalize_name(name) for table in tables for name in table)})

    def _refuse_unknown(self, kind: str, chosen: Collection[str], known: Collection[str]) -> None:
        if unknown := sorted(set(chosen) - set(known)):
            there = f"there are {', '.join(sorted(known))}" if known else f"there is no {kind} at all"
            self._fail(
                f"the lock has no {kind} `{unknown[0]}`: {there}",
                f"Correct the name; if the {kind} is new, run `pdm lock --group :all`.",
            )

    def _fail(self, message: str, hint: str) -> NoReturn:
        raise LockError(message, hint=hint, path=self.path)


def _check_addresses(data: Table, metadata: Table) -> None:
    """Raise DamagedError for an address without the strategy `static_urls`."""
    if "static_urls" in strings(metadata, "strategy") or metadata.get("static_urls"):
        return
    for table in tables(data.get("package", [])):
        if any("url" in file for file in tables(table.get("files", []))):
            name = typed(table, "name", str)
            raise DamagedError(f"package {name}: its files have a `url`, but the strategy is not `static_urls`")


def _targets(metadata: Table) -> Iterator[tuple[SpecifierSet, str | None]]:
    for table in tables(metadata.get("targets", [])):
        check_kinds(table, {"platform": str})
        yield SpecifierSet(typed(table, "requires_python", str)), table.get("platform")


def _covers(locked: tuple[SpecifierSet, str | None], target: Target) -> bool:
    """Return whether a target of PDM covers `target`.

    It has the Python, system and processor.
    """
    specifiers, platform = locked
    machine, _, kernel = target.system.partition("-")
    system, processor = ("macos", "arm64") if kernel == "darwin" else ("linux", machine)
    full = _SHORT.get(platform or "", platform)
    fits = full is None or (system in full.partition("_")[0] and full.endswith(processor))
    return fits and specifiers.contains(target.python)


def _indexes(pyproject: Table) -> tuple[str | None, ...]:
    """Return the indexes of the project; None means those of the user.

    A source named `pypi` replaces PyPI.
    """
    sources = tables(table_at(pyproject, "tool", "pdm").get("source", []))
    urls = {typed(source, "name", str, ""): typed(source, "url", str, "") for source in sources}
    default = () if "pypi" in urls else (None,)
    return (*(url for url in urls.values() if url), *default)


def _content_hashes(pyproject: Table, version: Version) -> Iterator[str]:
    """Yield the hashes of the lock's inputs.

    Each PDM with that lock version has its own `PyProject.content_hash`.
    """
    project, pdm = table_at(pyproject, "project"), table_at(pyproject, "tool", "pdm")
    own, resolution = table_at(pdm, "dev-dependencies"), table_at(pdm, "resolution")
    merged: dict[str, list[object]] = {}
    for table in (table_at(pyproject, "dependency-groups"), own):
        for name in table:
            merged.setdefault(canonicalize_name(name), []).extend(typed(table, name, list))
    steering = {"resolution": resolution} if version >= _HASHES_ALL else {"overrides": resolution.get("overrides", {})}
    for groups in [merged] if version >= _HASHES_GROUPS else [merged, own]:
        content = {
            "sources": pdm.get("source", []),
            "dependencies": project.get("dependencies", []),
            "dev-dependencies": groups,
            "optional-dependencies": project.get("optional-dependencies", {}),
            "requires-python": project.get("requires-python", ""),
            **steering,
        }
        yield hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _damaged(path: Path, text: str, error: Exception) -> LockError:
    line = damaged_package(text, error)
    return LockError(f"this pdm.lock is damaged: {error}", hint=_AGAIN, path=path, line=line)
