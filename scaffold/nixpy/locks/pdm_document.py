"""Read the packages of a pdm.lock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from nixpy.locks.files import wheel_file
from nixpy.locks.model import Package, WheelFile
from nixpy.locks.validate import DamagedError, Table, check_kinds, package_name, strings, table_at, tables, typed


@dataclass(frozen=True, kw_only=True)
class PdmEntry:
    """One package of the lock, without extras or with them: each is a separate entry."""

    package: Package
    extras: frozenset[NormalizedName]
    groups: frozenset[NormalizedName]  # empty if the lock does not record them
    marker: str | None
    requires_python: SpecifierSet
    dependencies: tuple[str, ...]


def read_entries(data: Table, base: Path, indexes: tuple[str | None, ...]) -> Iterator[PdmEntry]:
    """Yield the packages of the document `data`.

    `base` is the folder of its paths. Raises DamagedError if one is malformed.
    """
    files = table_at(data, "metadata", "files")  # their place before version 4.3
    for table in tables(data.get("package", [])):
        name = typed(table, "name", str)
        try:
            check_kinds(table, dict.fromkeys(("version", "marker", "path", "url", "git"), str))
            listed = tables(table["files"] if "files" in table else files.get(f"{name} {table.get('version')}", []))
            yield PdmEntry(
                package=_package(table, listed, base, indexes),
                extras=frozenset(map(canonicalize_name, strings(table, "extras"))),
                groups=frozenset(map(canonicalize_name, strings(table, "groups"))),
                marker=table.get("marker"),
                requires_python=SpecifierSet(typed(table, "requires_python", str, "")),
                dependencies=strings(table, "dependencies"),
            )
        except (DamagedError, InvalidVersion, InvalidSpecifier) as error:
            raise DamagedError(f"package {name}: {error}") from None


def _package(table: Table, files: list[Table], base: Path, indexes: tuple[str | None, ...]) -> Package:
    for file in files:
        check_kinds(file, {"file": str, "url": str, "hash": str})
    direct = table.get("url") or table.get("path")
    if direct and not files and direct.endswith(".whl"):
        files = [{}]
    listed = [_wheel(file, table, base, indexes) for file in files]
    wheels = tuple(wheel for wheel in listed if wheel.filename.endswith(".whl"))
    folder = "path" in table and not wheels
    return Package(
        name=package_name(table),
        version=str(Version(table["version"])) if "version" in table else None,
        wheels=wheels,
        sdist=len(wheels) < len(listed) or folder or "git" in table,
        sdist_file=next((file for file in listed if file not in wheels), None),
        folder=base / table["path"] if folder and not listed else None,
        repository="git" in table,
        local=folder and typed(table, "editable", bool, default=False),
    )


def _wheel(file: Table, table: Table, base: Path, indexes: tuple[str | None, ...]) -> WheelFile:
    algorithm, _, digest = file.get("hash", "").partition(":")
    url, path = file.get("url") or table.get("url"), None if "url" in file else table.get("path")
    found = wheel_file(
        base=base,
        filename=file.get("file"),
        url=url,
        path=path,
        sha256=digest if algorithm == "sha256" else None,
    )
    return found if url or path else replace(found, indexes=indexes)
