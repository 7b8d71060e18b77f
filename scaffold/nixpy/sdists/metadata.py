"""Read the metadata of a package.

It is in PKG-INFO or METADATA (core metadata) and pyproject.toml (PEP 518 and 621).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.metadata import RawMetadata
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, is_normalized_name
from packaging.version import InvalidVersion, Version

from nixpy.core import entry_points
from nixpy.core.core_metadata import parse
from nixpy.core.errors import ArchiveError
from nixpy.core.toml_file import parse_toml

_PROGRAM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Core metadata. `requires` are PEP 508 requirements, `extras` normalised names.

    With `complete`, all requirements are known: for every wheel, and for an sdist with static metadata (PEP 643).
    """

    name: str
    version: str
    summary: str | None
    homepage: str | None
    license_expression: str | None
    license_text: str | None
    classifiers: tuple[str, ...]
    requires: tuple[Requirement, ...]
    extras: tuple[str, ...]
    complete: bool


def read_metadata(text: bytes, path: str, *, wheel: bool) -> Metadata:
    """Return the content of a METADATA (`wheel`) or a PKG-INFO.

    `path` is its place in messages.

    Raises NixpyError if it lacks a name or a version, or has a requirement that cannot be parsed.
    """
    raw = parse(text, path)
    name, version = raw.get("name"), raw.get("version")
    if not name or not version:
        raise ArchiveError("its metadata has no name or no version", hint="Choose another version.", path=path)
    dynamic = {field.lower() for field in raw.get("dynamic", ())}
    static = _at_least_2_2(raw.get("metadata_version", "")) and not dynamic & {"requires-dist", "provides-extra"}
    return Metadata(
        name=name,
        version=version,
        summary=_line(raw.get("summary")),
        homepage=homepage(raw),
        license_expression=_line(raw.get("license_expression")),
        license_text=_line(raw.get("license")),
        classifiers=tuple(raw.get("classifiers", ())),
        requires=_requirements(raw.get("requires_dist", ()), path),
        extras=_extras(raw.get("provides_extra", ())),
        complete=wheel or static,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pyproject:
    """The content of a pyproject.toml.

    It has the requirements of the build system, or None if the file names none; the requirements of the project, with
    their extras in markers, or None if they are dynamic; and the programs of the project. `external` is its
    unparsed table of PEP 725. `cargo` is the folder of the crate that maturin builds, relative to the file, or None.
    """

    build: tuple[Requirement, ...] | None
    requires: tuple[Requirement, ...] | None
    extras: tuple[str, ...]
    programs: tuple[str, ...]
    external: Any
    cargo: str | None


def read_pyproject(text: bytes, path: str) -> Pyproject:
    """Return the content of the pyproject.toml in `text`; NixpyError if it is damaged."""
    try:
        data = parse_toml(text.decode(), Path(path))
        build = data.get("build-system", {}).get("requires")
        project: Mapping[str, Any] = data.get("project", {})
        dynamic = project.get("dynamic", ())
        optional: Mapping[str, list[str]] = project.get("optional-dependencies", {})
        lines = list(project.get("dependencies", ()))
        for extra, own in optional.items():
            lines += [_in_extra(line, extra) for line in own]
        manifest = data.get("tool", {}).get("maturin", {}).get("manifest-path")
        known = bool(project) and not {"dependencies", "optional-dependencies"} & set(dynamic)
        return Pyproject(
            build=None if build is None else _requirements(build, path),
            requires=_requirements(lines, path) if known else None,
            extras=_extras(optional),
            programs=program_names((*project.get("scripts", {}), *project.get("gui-scripts", {}))),
            external=data.get("external"),
            cargo=None if manifest is None else str(PurePosixPath(manifest).parent),
        )
    except (AttributeError, TypeError, UnicodeDecodeError, InvalidRequirement):
        raise ArchiveError("this pyproject.toml is damaged", hint="Choose another version.", path=path) from None


def read_programs(text: bytes) -> tuple[str, ...]:
    """Return the programs in an entry_points.txt.

    There is none if it is damaged (entry points specification).
    """
    return program_names(entry_points.programs(text))


def program_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that a program may have (entry points specification).

    A path is none.
    """
    return tuple(name for name in names if _PROGRAM.fullmatch(name))


def _in_extra(line: str, extra: str) -> str:
    requirement = Requirement(line)
    marker = f"extra == '{canonicalize_name(extra)}'"
    own = f"({requirement.marker}) and {marker}" if requirement.marker else marker
    requirement.marker = None
    return f"{requirement} ; {own}"


def _requirements(lines: Iterable[str], path: str) -> tuple[Requirement, ...]:
    found = []
    for line in lines:
        try:
            found.append(Requirement(line))
        except InvalidRequirement:
            message = f"its requirement `{line}` cannot be read"
            raise ArchiveError(message, hint="Choose another version.", path=path) from None
    return tuple(found)


def _extras(names: Iterable[str]) -> tuple[str, ...]:
    """Return the normalised names of extras (PEP 685).

    Invalid names, which old tools wrote, are left out.
    """
    normal = map(canonicalize_name, names)
    return tuple(dict.fromkeys(name for name in normal if is_normalized_name(name)))


def _at_least_2_2(text: str) -> bool:
    try:
        return Version(text) >= Version("2.2")
    except InvalidVersion:
        return False


def _line(text: str | None) -> str | None:
    """Return a field as one line, or None if it is empty (old metadata has UNKNOWN)."""
    line = " ".join((text or "").split())
    return None if line in ("", "UNKNOWN") else line


def homepage(raw: RawMetadata) -> str | None:
    """Return the home page of the project.

    It is the old field, or the URL with that normalised label (PEP 753).
    """
    urls = {"".join(c for c in k.lower() if c.isalnum()): v for k, v in raw.get("project_urls", {}).items()}
    candidates = (raw.get("home_page"), *map(urls.get, ("homepage", "source", "repository", "sourcecode", "github")))
    return next((line for url in candidates if (line := _line(url)) and line.startswith(("https://", "http://"))), None)
