"""What a package says of itself, in PKG-INFO or METADATA (core metadata) and in pyproject.toml (PEP 518 and 621)."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.metadata import RawMetadata
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, is_normalized_name
from packaging.version import InvalidVersion, Version

from nixpy.core import limits
from nixpy.core.core_metadata import parse
from nixpy.core.errors import NixpyError
from nixpy.core.toml_file import parse_toml

_PROGRAM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Core metadata. `requires` are PEP 508 requirements, `extras` normalised names; `complete`: all requirements are
    there, as a wheel has them and an sdist where its metadata is static (PEP 643).
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
    """Return what a METADATA (`wheel`) or a PKG-INFO says; NixpyError where it lacks a name or a version, or has a
    requirement that cannot be read. `path` is its place in messages.
    """
    raw = parse(text, path)
    name, version = raw.get("name"), raw.get("version")
    if not name or not version:
        raise NixpyError("its metadata has no name or no version", hint="Choose another version.", path=path)
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
    """What a pyproject.toml says: the build system's requirements, None where it names none, the project's own
    requirements with their extras in markers, None where they are left to the build system, and its programs.

    `external` is its table of PEP 725 as it stands there, unread; `cargo` the folder of the crate that maturin builds,
    relative to it, None where it names none.
    """

    build: tuple[Requirement, ...] | None
    requires: tuple[Requirement, ...] | None
    extras: tuple[str, ...]
    programs: tuple[str, ...]
    external: Any
    cargo: str | None


def read_pyproject(text: bytes, path: str) -> Pyproject:
    """Return what the pyproject.toml in `text` says; NixpyError where it is damaged."""
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
        raise NixpyError("this pyproject.toml is damaged", hint="Choose another version.", path=path) from None


def read_programs(text: bytes) -> tuple[str, ...]:
    """Return the programs that an entry_points.txt names, none where it is damaged (entry points specification)."""
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        decoded = text.decode()
        limits.check_blanks(decoded, "entry_points.txt")
        parser.read_string(decoded)
    except (UnicodeDecodeError, configparser.Error, NixpyError):
        return ()
    sections = ("console_scripts", "gui_scripts")
    return program_names(
        name for section in sections if parser.has_section(section) for name in parser.options(section)
    )


def program_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that a program may have (entry points specification); a path is none."""
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
            raise NixpyError(message, hint="Choose another version.", path=path) from None
    return tuple(found)


def _extras(names: Iterable[str]) -> tuple[str, ...]:
    """Return the normalised names of extras; what is no name, as old tools wrote, is no extra (PEP 685)."""
    normal = map(canonicalize_name, names)
    return tuple(dict.fromkeys(name for name in normal if is_normalized_name(name)))


def _at_least_2_2(text: str) -> bool:
    try:
        return Version(text) >= Version("2.2")
    except InvalidVersion:
        return False


def _line(text: str | None) -> str | None:
    """Return a field as one line, None where it says nothing (old metadata writes UNKNOWN)."""
    line = " ".join((text or "").split())
    return None if line in ("", "UNKNOWN") else line


def homepage(raw: RawMetadata) -> str | None:
    """Return the page of the project: the field of old, or the label by its normalised name (PEP 753)."""
    urls = {"".join(c for c in k.lower() if c.isalnum()): v for k, v in raw.get("project_urls", {}).items()}
    candidates = (raw.get("home_page"), *map(urls.get, ("homepage", "source", "repository", "sourcecode", "github")))
    return next((line for url in candidates if (line := _line(url)) and line.startswith(("https://", "http://"))), None)
