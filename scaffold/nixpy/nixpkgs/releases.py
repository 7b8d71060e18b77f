"""List the CPythons and the glibc of nixpkgs releases.

nixpy must know them without running Nix.

The facts are in `releases.toml`, which names the nixpkgs files that they come from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from nixpy.core.errors import ArgumentError, InternalError, ProjectError
from nixpy.core.toml_file import parse_toml, read_text, toml_line

_TABLE = Path(__file__).with_name("releases.toml")
_STATES = ("ended", "stable", "unstable")
_STABLE = re.compile(r"(?:nixos-|nixpkgs-|release-)?(?P<number>\d\d\.\d\d)(?:-small|-darwin)?")
_REVISION = re.compile(r"[0-9a-f]{40}")
# Source: the branches of github.com/NixOS/nixpkgs that Hydra builds, and those from which they are made.
_MOVING = frozenset(
    {"nixos-unstable", "nixos-unstable-small", "nixpkgs-unstable", "master", "staging", "staging-next", "HEAD"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One nixpkgs release.

    `pythons` maps the minor version of its final CPythons to the full one, oldest first.

    A full version is the lowest patch level that the release is known to have had. `glibc` is a tuple such as (2, 42).
    """

    branch: str
    state: str
    glibc: tuple[int, int]
    default: str
    pythons: Mapping[str, str]
    until: date | None = None  # the last day of support, of a stable branch

    def full_version(self, python: str) -> str:
        """Return the full version of a minor one, 3.13.13 for 3.13.

        Raises NixpyError if the release lacks it.
        """
        try:
            return self.pythons[python]
        except KeyError:
            message = f"{self.branch} has no Python {python}"
            raise ArgumentError(message, hint=f"It has {_listed(self.pythons)}.") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """All known releases by branch, oldest first, unstable last.

    `current` is the newest stable branch.
    """

    current: str
    by_branch: Mapping[str, Release]


@cache
def releases() -> Releases:
    """Return the releases that `releases.toml` knows."""
    return load(_TABLE)


def current() -> str:
    """Return the branch that a new project follows, such as `nixos-26.05`."""
    return releases().current


def today() -> date:
    """Return the local date; the tests replace this function."""
    return datetime.now().astimezone().date()


def release(ref: str) -> Release:
    """Return the release that a reference to nixpkgs follows.

    A reference is `nixos-26.05`, `26.05` or `github:NixOS/nixpkgs/nixos-26.05`.

    `-small`, `-darwin` and `release-` spellings count as their release. Unstable branches, revisions and other unknown
    references count as unstable, to which they are most likely similar.
    """
    known = releases().by_branch
    stable = _STABLE.fullmatch(_last_part(ref))
    branch = f"nixos-{stable['number']}" if stable else ""
    return known.get(branch) or next(found for found in known.values() if found.state == "unstable")


def is_known(ref: str) -> bool:
    """Return whether a reference to nixpkgs is a revision or a known branch.

    A known branch is one of `releases.toml`, in any of the spellings that `release` takes, or one that becomes
    nixos-unstable.
    """
    name = _last_part(ref)
    stable = _STABLE.fullmatch(name)
    return (
        _REVISION.fullmatch(name) is not None
        or name in _MOVING
        or (stable is not None and f"nixos-{stable['number']}" in releases().by_branch)
    )


def is_later(ref: str, branch: str) -> bool | None:
    """Return whether a reference to nixpkgs is later than a stable branch.

    Returns None if that is not known, as for a revision or the branch of a fork.

    >>> is_later("nixos-unstable", "nixos-25.11"), is_later("25.05", "nixos-25.11")
    (True, False)
    """
    name = _last_part(ref)
    if name in _MOVING:
        return True
    found, last = _STABLE.fullmatch(name), _STABLE.fullmatch(branch)
    return found["number"] > last["number"] if found and last else None


def _last_part(ref: str) -> str:
    """Return the branch or revision of a reference, which may be an address."""
    return ref.rstrip("/").rpartition("/")[2]


def with_glibc(needed: tuple[int, ...]) -> Release | None:
    """Return the oldest supported release with this glibc or a newer one, if any."""
    supported = (found for found in releases().by_branch.values() if found.state != "ended")
    return next((found for found in supported if found.glibc >= needed), None)


def choose_python(
    requested: str | None,
    python_version_file: str | None,
    requires_python: SpecifierSet | None,
    release: Release,
) -> tuple[str, str]:
    """Return the minor version of Python to use, and the reason in words.

    Args:
        requested: The version from the command line or the settings, which decides.
        python_version_file: The content of `.python-version`, which decides next. One that names no minor version of
            CPython (`pypy3.11`, `3`, a name for pyenv) is ignored.
        requires_python: The specifiers that the full version in the release must satisfy. Without the other two, the
            default of the release is used if it satisfies them, else the newest version that does.
        release: The nixpkgs release.

    Raises:
        NixpyError: The requested version is not a version of CPython, is not in the release, or does not satisfy
            `requires_python`; or no version does. The hint names the alternatives.
    """
    if requested is not None:
        minor = _minor(requested)
        if minor is None:
            hint = f"Write a version like {release.default}; {release.branch} has {_listed(release.pythons)}."
            raise ArgumentError(f"{requested!r} is not a version of CPython", hint=hint)
        return _requested(minor, requires_python, release), "requested"
    pinned = _minor(python_version_file) if python_version_file else None
    if pinned is not None:
        return _requested(pinned, requires_python, release, ".python-version"), "from .python-version"
    admitted = _admitted(requires_python, release)
    if not admitted:
        hint = f"{release.branch} has {_listed(release.pythons)}: widen requires-python or use another nixpkgs."
        raise ProjectError(f"no Python of {release.branch} satisfies {requires_python}", hint=hint)
    if release.default in admitted:
        return release.default, f"the default of {release.branch}"
    return admitted[-1], f"the newest of {release.branch} that requires-python admits"


def _requested(minor: str, requires_python: SpecifierSet | None, release: Release, path: str | None = None) -> str:
    """Return `minor` if the release has it and the project allows it.

    `path` is the file that names it.
    """
    if minor not in release.pythons:
        hint = f"{release.branch} has {_listed(release.pythons)}."
        if path and (admitted := _admitted(requires_python, release)):
            best = release.default if release.default in admitted else admitted[-1]
            hint = f"Run `nixpy init --python {best}`, or name another one in {path}: {hint}"
        raise ArgumentError(f"{release.branch} has no Python {minor}", hint=hint, path=path)
    admitted = _admitted(requires_python, release)
    if minor not in admitted:
        hint = f"Choose {_listed(admitted)}, or widen requires-python." if admitted else "Widen requires-python."
        message = f"requires-python {requires_python} does not admit Python {minor}"
        raise ArgumentError(message, hint=hint, path=path)
    return minor


def _admitted(requires_python: SpecifierSet | None, release: Release) -> list[str]:
    """Return the minor versions that satisfy the specifiers, oldest first."""
    return [
        minor for minor, full in release.pythons.items() if requires_python is None or requires_python.contains(full)
    ]


def _minor(text: str) -> str | None:
    """Return the minor version in a name such as `3.12`, or None.

    Other names are `3.12.4` and `cpython-3.12`.
    """
    match = re.fullmatch(r"(?:c?python[-@]?)?(\d+\.\d+)(?:\.\d+)?", text.strip(), re.IGNORECASE)
    return match[1] if match else None


def _listed(versions: Mapping[str, str] | list[str]) -> str:
    return ", ".join(versions)


def load(path: Path) -> Releases:
    """Return the table in `path`.

    Raises NixpyError, with the line, for a row that does not follow its header.
    """
    text = read_text(path)
    table = parse_toml(text, path)
    try:
        known = {found.branch: found for found in map(_release, table["release"])}
        name = table["current"]
        if known[name].state != "stable" or [found.state for found in known.values()].count("unstable") != 1:
            raise ValueError("`current` is not stable, or there is not one unstable release")  # noqa: TRY301
    except (KeyError, TypeError, ValueError, InvalidVersion) as error:
        line = toml_line(text, "current")
        raise InternalError(f"this table of releases is damaged: {error}", path=path, line=line) from None
    return Releases(current=name, by_branch=MappingProxyType(known))


def _release(row: Mapping[str, Any]) -> Release:
    """Return one row as a release; KeyError, TypeError or ValueError if it is invalid."""
    pythons = {minor: Version(full) for minor, full in row["pythons"].items()}
    wrong = [m for m, v in pythons.items() if v.is_prerelease or m != f"{v.major}.{v.minor}" or len(v.release) != 3]
    if wrong or list(pythons) != sorted(pythons, key=Version):
        raise ValueError(f"{row['branch']}: pythons are not final releases in order")
    if row["default"] not in pythons or row["state"] not in _STATES:
        raise ValueError(f"{row['branch']}: the default is none of its pythons, or the state is unknown")
    until = row.get("until")
    if (type(until) is date) != (row["state"] == "stable"):
        raise ValueError(f"{row['branch']}: `until` is a date, and only stable branches have it")
    major, minor = row["glibc"].split(".")
    return Release(
        branch=row["branch"],
        state=row["state"],
        glibc=(int(major), int(minor)),
        default=row["default"],
        pythons=MappingProxyType(dict(row["pythons"])),
        until=until,
    )
