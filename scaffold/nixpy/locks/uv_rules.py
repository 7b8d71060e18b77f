"""Refuse a uv.lock that uv refuses.

Source: the types in which uv reads a lock, and its checks of them (`crates/uv-resolver/src/lock`). Names of modes, such
as `prerelease-mode`, are not checked: a newer uv has more of them, and nixpy does not use them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import Specifier
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from nixpy.core.urls import file_name
from nixpy.locks.rules import Rule, at, each, inside, named, string, table, text, whole_number
from nixpy.locks.validate import DamagedError, Table

SOURCES = ("registry", "git", "url", "path", "directory", "editable", "virtual")
"""The kinds of sources; the first that a package has counts."""

_DIGITS = {"md5": 32, "sha256": 64, "sha384": 96, "sha512": 128, "blake2b": 64}
_HASHED, _NOT_HASHED = ("url", "path"), ("git", "directory", "editable", "virtual")
_LISTS = ("optional-dependencies", "dev-dependencies")
_WHEEL = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[\w.]*[A-Za-z0-9])?)-(?P<version>[^-]+)(?:-[^-]+)?(?:-[\w.]+){3}\.whl", re.ASCII
)
_TIME = re.compile(r"[\d-]{10}[T ][\d:.]{8,}(?:Z|[+-][\d:]+)")
_GIT = re.compile(r"(?!git\+)[a-z][a-z0-9+.-]*://[^#]+#[0-9a-fA-F]{40}", re.IGNORECASE)


def check(data: Table) -> None:
    """Raise DamagedError, with the place, for a document that uv refuses."""
    _DOCUMENT(data)
    packages = data.get("package", [])
    ids: dict[str, list[Table]] = {}
    for package in packages:
        ids.setdefault(canonicalize_name(package["name"]), []).append(package)
    for place, package in enumerate(packages):
        with at("package", place):
            _check_package(package, ids)


def _check_package(package: Any, ids: dict[str, list[Table]]) -> None:
    name, version, source = package["name"], package.get("version"), package["source"]
    if "registry" in source and version is None:
        raise DamagedError("has no `version`")
    if sum(_is(one, package) for one in ids[canonicalize_name(name)]) > 1:
        raise DamagedError("is in the lock twice")
    own = next(one for one in SOURCES if one in source)
    for place, wheel in enumerate(package.get("wheels", ())):
        with at("wheels", place):
            _check_wheel(wheel, version, own)
    for keys, edges in _edges(package):
        seen: list[Table] = []
        for place, edge in enumerate(edges):
            with at(*keys, place):
                _check_edge(edge, ids)
                if edge in seen:
                    raise DamagedError("occurs twice")
            seen.append(edge)


def _check_wheel(wheel: Table, version: str | None, source: str) -> None:
    address = wheel.get("url") or wheel.get("path")
    name = file_name(address) if address else wheel.get("filename")
    if not name:
        raise DamagedError("has neither `url` nor `filename`")
    found = _WHEEL.fullmatch(name)
    try:
        named = Version(found["version"]) if found and found["version"] != version else None
    except InvalidVersion:
        found = None
    if not found:
        raise DamagedError(f"is not the file name of a wheel: `{name}`")
    if version and named and Version(version) not in {named, Version(named.public)}:
        raise DamagedError(f"has another version than the package: {named}")
    if source in _HASHED and "hash" not in wheel:
        raise DamagedError("has no `hash`")
    if source in _NOT_HASHED and "hash" in wheel:
        raise DamagedError(f"has a `hash`, but comes from `{source}`")


def _check_edge(edge: Table, ids: dict[str, list[Table]]) -> None:
    """Check that exactly one package of the lock is meant."""
    name, version, source = edge["name"], edge.get("version"), edge.get("source")
    there = ids.get(canonicalize_name(name), [])
    if len(there) > 1 and source is None:
        raise DamagedError(f"has no `source`, and the lock has several packages for {name}")
    if len(there) > 1 and version is None and not {"directory", "editable", "virtual"} & set(source or ()):
        raise DamagedError(f"has no `version`, and the lock has several packages for {name}")
    only = there[0] if len(there) == 1 else {}
    wanted = {"version": version or only.get("version"), "source": source or only.get("source", {})}
    if not any(_is(one, wanted) for one in there):
        raise DamagedError(f"has no package in the lock: {name} {version or ''}".rstrip())


def _is(package: Table, wanted: Table) -> bool:
    """Return whether both have the same version and source."""
    versions = package.get("version"), wanted.get("version")
    if versions[0] != versions[1] and (None in versions or Version(str(versions[0])) != Version(str(versions[1]))):
        return False
    return all(package["source"].get(one) == wanted["source"].get(one) for one in SOURCES)


def _edges(package: Table) -> Iterator[tuple[tuple[str, ...], list[Table]]]:
    yield ("dependencies",), package.get("dependencies", [])
    for key in _LISTS:
        for name, edges in package.get(key, {}).items():
            yield (key, name), edges


def _is_specifier(value: str) -> bool:
    parts = [part.strip() for part in value.split(",")] if value.strip() else []
    for part in parts:
        found = Specifier(part)
        if found.operator == "===":
            Version(found.version)
    return True


def _is_hash(value: str) -> bool:
    algorithm, _, digest = value.partition(":")
    return len(digest) == _DIGITS.get(algorithm) and bool(re.fullmatch(r"[0-9a-fA-F]+", digest))


def _is_time(value: str) -> bool:
    return bool(_TIME.fullmatch(value) and datetime.fromisoformat(value))


def _source(value: object) -> None:
    if not isinstance(value, dict):
        raise DamagedError("is not a table")
    own = next((one for one in SOURCES if isinstance(value.get(one), str)), None)
    if own is None:
        raise DamagedError(f"has none of {', '.join(f'`{one}`' for one in SOURCES)}")
    rule: Rule | None = {"git": _GIT_SOURCE, "url": _URL}.get(own)
    if rule:
        inside(own, rule, value[own])


def _url_if_text(value: object) -> None:
    # uv passes over sources of another type.
    if isinstance(value, str):
        _URL(value)


def _groups(value: object) -> None:
    if value != "all":
        each(_NAME)(value)


def _conflict(value: object) -> None:
    each(_CONFLICT_ITEM)(value)
    items = value if isinstance(value, list) else []
    if any(len(item) > 2 for item in items):
        raise DamagedError("has an item with an extra and a group")
    if len([item for place, item in enumerate(items) if item not in items[:place]]) < 2:
        raise DamagedError("has less than two items")


_NAME = text(lambda value: canonicalize_name(value, validate=True), "a name")
_VERSION = text(Version, "a version")
_MARKER = text(Marker, "a marker")
_SPECIFIER = text(_is_specifier, "a version specifier")
_TIMESTAMP = text(_is_time, "a time with its time zone")
_URL = text(lambda value: bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", value)), "a URL")
_GIT_SOURCE = text(lambda value: bool(_GIT.fullmatch(value)), "a URL with the hash of a commit")
_FILE = {
    "url": string,
    "path": string,
    "hash": text(_is_hash, f"a hash ({', '.join(_DIGITS)}) with all its digits"),
    "size": whole_number,
    "upload-time": _TIMESTAMP,
    "upload_time": _TIMESTAMP,
}
_EDGE = table(
    {"name": _NAME, "version": _VERSION, "source": _source, "extra": each(_NAME), "marker": _MARKER}, ["name"]
)
_REQUIREMENT = table(
    {
        "name": _NAME,
        "extras": each(_NAME),
        "groups": each(_NAME),
        "marker": _MARKER,
        "specifier": _SPECIFIER,
        "git": _url_if_text,
    },
    ["name"],
)
_METADATA = table(
    {
        "requires-dist": each(_REQUIREMENT),
        "provides-extras": each(_NAME),
        "requires-dev": named(_NAME, each(_REQUIREMENT)),
        "dependency-groups": named(_NAME, each(_REQUIREMENT)),
    }
)
_PACKAGE = table(
    {
        "name": _NAME,
        "version": _VERSION,
        "source": _source,
        "resolution-markers": each(_MARKER),
        "wheels": each(table({**_FILE, "filename": string})),
        "sdist": table(_FILE),
        "dependencies": each(_EDGE),
        "optional-dependencies": named(_NAME, each(_EDGE)),
        "dev-dependencies": named(_NAME, each(_EDGE)),
        "dependency-groups": named(_NAME, each(_EDGE)),
        "metadata": _METADATA,
        "default-groups": _groups,
    },
    ["name", "source"],
)
_CONFLICT_ITEM = table({"package": _NAME, "extra": _NAME, "group": _NAME}, ["package"], closed=True)
_STATIC = table(
    {
        "name": _NAME,
        "version": _VERSION,
        "requires-dist": each(text(Requirement, "a requirement")),
        "requires-python": _SPECIFIER,
        "provides-extra": each(_NAME),
        "provides-extras": each(_NAME),
    },
    ["name"],
    closed=True,
)
_MANIFEST = table(
    {
        "members": each(_NAME),
        "default-groups": _groups,
        **dict.fromkeys(("requirements", "constraints", "overrides", "build-constraints"), each(_REQUIREMENT)),
        "dependency-groups": named(_NAME, each(_REQUIREMENT)),
        "dependency-metadata": each(_STATIC),
    }
)
_OPTIONS = table(
    {
        **dict.fromkeys(("resolution-mode", "prerelease-mode", "fork-strategy"), string),
        "exclude-newer": _TIMESTAMP,
    }
)
_DOCUMENT = table(
    {
        "version": whole_number,
        "revision": whole_number,
        "requires-python": _SPECIFIER,
        **dict.fromkeys(("resolution-markers", "supported-markers", "required-markers"), each(_MARKER)),
        "conflicts": each(_conflict),
        "options": _OPTIONS,
        "manifest": _MANIFEST,
        "package": each(_PACKAGE),
    },
    ["version", "requires-python"],
)
