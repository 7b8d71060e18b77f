"""Read the content of a uv.lock (uv's own format, version 1).

It is checked and typed, and for no particular target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from nixpy.core.errors import LockError
from nixpy.core.toml_file import parse_toml, read_text, toml_line
from nixpy.core.urls import file_name
from nixpy.locks import uv_rules
from nixpy.locks.files import wheel_file
from nixpy.locks.model import Package, WheelFile
from nixpy.locks.validate import DamagedError, Table, package_name, strings, tables, typed

_VERSION = 1
_AGAIN = "Run `uv lock`."
_FOLDERS = ("virtual", "editable", "directory")
_OPTIONAL, _GROUPS = "optional-dependencies", "dev-dependencies"

Section = tuple[str, str]
"""The name of a list of dependencies of a package: the main ones, those of an extra, or those of a group."""

DEPENDENCIES: Section = ("dependencies", "")


def extra_section(name: str) -> Section:
    """Return the section with the dependencies of an extra."""
    return (_OPTIONAL, name)


def is_extra(section: Section) -> bool:
    """Return whether a section is that of an extra."""
    return section[0] == _OPTIONAL


def group_section(name: str) -> Section:
    """Return the section with the dependencies of a dependency group."""
    return (_GROUPS, name)


def code(kind: str, package: str, name: str | None = None) -> str:
    """Return the name of an extra, group or project in markers about conflicts.

    An example is `extra-3-pkg-cpu`.
    """
    return "-".join((kind, str(len(package)), package, *([name] if name else [])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A dependency; it has a version and a source only if the name is ambiguous."""

    name: str
    version: str | None
    source: Table | None
    extras: tuple[str, ...]
    marker: str | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Node:
    """One package of the lock, compared by identity.

    A name may occur in several versions (forks).
    """

    table: Table
    base: Path  # the folder of the lock
    name: NormalizedName
    version: str | None
    source: Table
    sections: Mapping[Section, tuple[Edge, ...]]
    environments: tuple[str, ...]  # `resolution-markers`: where this fork applies
    member: bool  # a member of the workspace

    @property
    def extras(self) -> frozenset[str]:
        """The extras of the package.

        Those without dependencies are among them if the lock records them.
        """
        named = self.metadata.get("provides-extras", ()) if self.metadata else ()
        return frozenset(name for kind, name in self.sections if kind == _OPTIONAL) | frozenset(named)

    @property
    def groups(self) -> frozenset[str]:
        """The dependency groups of the package, also empty ones if the lock records them."""
        named = self.metadata.get("requires-dev", ()) if self.metadata else ()
        return frozenset(name for kind, name in self.sections if kind == _GROUPS) | frozenset(named)

    @property
    def metadata(self) -> Table | None:
        """The requirements of the package when it was locked.

        Returns None if the lock does not record them.
        """
        if "metadata" in self.table:
            found: Table = self.table["metadata"]
            return found
        return None if self.sections else {}

    @property
    def folder(self) -> Path | None:
        """The source tree of the package, or None."""
        return next((self.base / self.source[kind] for kind in _FOLDERS if kind in self.source), None)

    @cached_property
    def package(self) -> Package:
        """The package with every file that the lock offers."""
        origin = self.source.get("url") or self.source.get("path") or ""
        is_sdist = bool(origin) and not file_name(origin).endswith(".whl")
        return Package(
            name=self.name,
            version=self.version,
            wheels=tuple(self._wheel(wheel) for wheel in self.table.get("wheels", ())),
            sdist="sdist" in self.table or "git" in self.source or is_sdist or self.folder is not None,
            sdist_file=self._wheel(self.table["sdist"]) if "sdist" in self.table else None,
            folder=self.folder,
            repository="git" in self.source,
            local=self.member or "virtual" in self.source or "editable" in self.source,
        )

    def _wheel(self, wheel: Table) -> WheelFile:
        algorithm, _, digest = wheel.get("hash", "").partition(":")
        path = wheel.get("path")
        # In a registry that is a folder, paths are relative to it; a wheel by path or address is its own source.
        base = self.base / self.source["registry"] if path and "registry" in self.source else self.base
        return wheel_file(
            base=base,
            filename=wheel.get("filename"),
            url=wheel.get("url") or self.source.get("url"),
            path=path or self.source.get("path"),
            sha256=digest if algorithm == "sha256" else None,
            size=wheel.get("size"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole lock: its packages and its `manifest`.

    The manifest has the requirements of the workspace or script.
    """

    requires_python: SpecifierSet
    environments: tuple[str, ...]
    conflicts: tuple[Mapping[str, str], ...]  # by code, the sets that exclude each other: ``extra `cpu` of pkg``
    nodes: tuple[Node, ...]
    manifest: Node


def read_document(path: Path) -> Document:
    """Return the content of the uv.lock in `path`.

    Raises LockError if it is damaged or of another version.
    """
    text = read_text(path)
    data = parse_toml(text, path)
    if "distribution" in data:  # the name until uv 0.4
        data["package"] = data.pop("distribution")
    version = data.get("version")
    if type(version) is not int:
        line = toml_line(text, "version")
        raise LockError(
            "this is not a uv.lock: it has no `version` that is a number", hint=_AGAIN, path=path, line=line
        )
    if version != _VERSION:
        raise LockError(
            f"this uv.lock has version {version}; this nixpy reads version {_VERSION}",
            hint="Update nixpy." if version > _VERSION else _AGAIN,
            path=path,
            line=toml_line(text, "version"),
        )
    try:
        uv_rules.check(data)
    except DamagedError as error:
        raise damaged(path, _shown(data, error), toml_line(text, *error.keys)) from None
    return _document(data, path.parent)


def damaged(path: Path, what: object, line: int | None = None) -> LockError:
    """Return the error for a lock that uv does not write like this."""
    return LockError(f"this uv.lock is damaged: {what}", hint=_AGAIN, path=path, line=line)


def _shown(data: Table, error: DamagedError) -> str:
    """Return the text of an error, with the package and the names of the keys."""
    keys, of = error.keys, ""
    if len(keys) > 1 and keys[0] == "package":
        package = data["package"][keys[1]]
        name = package.get("name") if isinstance(package, dict) else None
        keys, of = keys[2:], f"package {name or keys[1]}: "
    names = ".".join(key for key in keys if isinstance(key, str))
    what = f"an item of `{names}`" if keys and isinstance(keys[-1], int) else f"`{names}`" if keys else "it"
    return f"{of}{what} {error}"


def _document(data: Table, base: Path) -> Document:
    manifest = typed(data, "manifest", dict, {})
    members = frozenset(strings(manifest, "members"))
    return Document(
        requires_python=SpecifierSet(typed(data, "requires-python", str, "")),
        environments=strings(data, "supported-markers"),
        conflicts=tuple(dict(map(_conflict, tables(one))) for one in typed(data, "conflicts", list, [])),
        nodes=tuple(_node(table, base, members) for table in tables(data.get("package", []))),
        manifest=_manifest(manifest, base),
    )


def _conflict(item: Table) -> tuple[str, str]:
    package = typed(item, "package", str)
    kind = next((kind for kind in ("extra", "group") if kind in item), "project")
    name = typed(item, kind, str) if kind in item else None
    return code(kind, package, name), f"{kind} `{name}` of {package}" if name else package


def _node(table: Table, base: Path, members: frozenset[str]) -> Node:
    return Node(
        table=table,
        base=base,
        name=package_name(table),
        version=table.get("version"),
        source=table["source"],
        sections=_sections(table),
        environments=strings(table, "resolution-markers"),
        member=table["name"] in members,
    )


def _manifest(manifest: Table, base: Path) -> Node:
    """Return the requirements of the manifest, as a package without a name."""
    table = {
        "dependencies": manifest.get("requirements", []),
        _GROUPS: manifest.get("dependency-groups", {}),
        "metadata": {"requires-dev": manifest.get("dependency-groups", {})},
        **{key: manifest[key] for key in ("default-groups",) if key in manifest},
    }
    return Node(
        table=table,
        base=base,
        name=canonicalize_name(""),
        version=None,
        source={},
        sections=_sections(table),
        environments=(),
        member=False,
    )


def _sections(table: Table) -> dict[Section, tuple[Edge, ...]]:
    found = {}
    if always := _edges(table.get("dependencies", [])):
        found[DEPENDENCIES] = always
    for kind in (_OPTIONAL, _GROUPS):
        found |= {(kind, name): _edges(edges) for name, edges in typed(table, kind, dict, {}).items()}
    return found


def _edges(value: object) -> tuple[Edge, ...]:
    return tuple(
        Edge(
            name=typed(table, "name", str),
            version=typed(table, "version", str, "") or None,
            source=typed(table, "source", dict, {}) or None,
            # Edges of packages have the key `extra`, requirements of the manifest `extras`.
            extras=strings(table, "extra") + strings(table, "extras"),
            marker=typed(table, "marker", str, "") or None,
        )
        for table in tables(value)
    )
