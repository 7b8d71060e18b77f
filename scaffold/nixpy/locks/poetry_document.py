"""Read the packages of a poetry.lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from nixpy.core.urls import file_name
from nixpy.locks.files import wheel_file
from nixpy.locks.model import Package, WheelFile
from nixpy.locks.rules import inside, text
from nixpy.locks.validate import DamagedError, Table, check_kinds, package_name, strings, table_at, tables, typed

TELLS_GROUPS = Version("2.1")
"""The version of the lock from which packages have their groups."""

_REQUIRED_2 = [("files", list)]
_MARKER = text(lambda value: value == "" or Marker(value), "a marker")


@dataclass(frozen=True, kw_only=True)
class PoetryEntry:
    """One package of the lock."""

    table: Table
    package: Package
    groups: frozenset[NormalizedName]  # empty if the lock does not record them
    optional: bool


def read_entries(data: Table, path: Path, version: Version) -> Iterator[PoetryEntry]:
    """Yield the packages of the document `data`, read from `path`.

    `version` is that of the lock. Raises DamagedError if one is malformed, or lacks a key that Poetry reads.
    """
    files = table_at(table_at(data, "metadata"), "files")  # their place before version 2.0
    required = [("optional", bool), ("python-versions", str), *_REQUIRED_2 * (version.major > 1)]
    if version >= TELLS_GROUPS:
        required.append(("groups", list))
    if "package" not in data:
        raise DamagedError("`package` is missing")
    for table in tables(data["package"]):
        name = typed(table, "name", str)
        try:
            for key, kind in required:
                typed(table, key, kind)
            if version >= TELLS_GROUPS and "markers" in table:
                markers = table["markers"]
                for marker in markers.values() if isinstance(markers, dict) else [markers]:
                    inside("markers", _MARKER, marker)
            listed = tables(table["files"] if "files" in table else files.get(name, []))
            yield PoetryEntry(
                table=table,
                package=_package(table, listed, path.parent),
                groups=frozenset(map(canonicalize_name, strings(table, "groups"))),
                optional=typed(table, "optional", bool, default=False),
            )
        except (DamagedError, InvalidVersion) as error:
            raise DamagedError(f"package {name}: {error}") from None


def _package(table: Table, files: list[Table], base: Path) -> Package:
    source = typed(table, "source", dict, {})
    check_kinds(source, {"type": str, "url": str})
    kind, url = source.get("type"), source.get("url", "")
    origin = {"url": url} if kind == "url" else {"path": url} if kind == "file" else {}
    for file in files:
        typed(file, "file", str)
    listed = [_wheel(file, base, origin, None if kind is None else url) for file in files]
    wheels = tuple(file for file in listed if file.filename.endswith(".whl"))
    return Package(
        name=package_name(table),
        version=str(Version(typed(table, "version", str))),
        wheels=wheels,
        sdist=len(wheels) < len(files) or kind in {"git", "directory"},
        sdist_file=next((file for file in listed if file not in wheels), None),
        folder=base / url if kind == "directory" else None,
        repository=kind in {"git", "hg", "svn"},
        local=kind == "directory" and typed(table, "develop", bool, default=False),
    )


def _wheel(file: Table, base: Path, origin: Mapping[str, str], index: str | None) -> WheelFile:
    algorithm, _, digest = typed(file, "hash", str).partition(":")
    name = file["file"]
    if origin and file_name(next(iter(origin.values()))) != name:
        origin = {}
    found = wheel_file(
        base=base,
        filename=name,
        url=origin.get("url"),
        path=origin.get("path"),
        sha256=digest if algorithm == "sha256" else None,
    )
    return found if origin else replace(found, indexes=(index,))
