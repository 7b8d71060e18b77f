"""Describe where wheels are installed: a system, a Python and a glibc.

They may differ from those of this machine.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache

from packaging.markers import InvalidMarker, Marker, UndefinedComparison
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms

from nixpy.core.errors import ArgumentError

LINUX_SYSTEMS = ("aarch64-linux", "x86_64-linux")
SYSTEMS = ("aarch64-darwin", *LINUX_SYSTEMS)

MACOS = (14, 0)
"""The macOS version that wheels are chosen for: the oldest that nixpkgs 25.11 and later support. So a chosen wheel
installs on every Mac that builds the flake. On a newer Mac an installer may choose another wheel of the package."""

_PLATFORMS = {("Darwin", "arm64"): "aarch64-darwin"} | {
    ("Linux", system.removesuffix("-linux")): system for system in LINUX_SYSTEMS
}
_E_MACHINE = {"x86_64-linux": 62, "aarch64-linux": 183}  # ELF gABI: EM_X86_64, EM_AARCH64
_PYTHON = re.compile(r"3\.(\d{1,4})\.\d{1,4}")
_OLDEST_MINOR = 8  # before it, ABI tags had a suffix (`cp37m`)
# PEP 600: the names of three glibc versions before there was a rule.
_LEGACY = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}


def system_of(machine: int | None) -> str | None:
    """Return the Nix system for an ELF e_machine, or None if nixpy does not know it.

    None as the machine means a system without ELF files.
    """
    if machine is None:
        return "aarch64-darwin"
    return next((system for system, number in _E_MACHINE.items() if number == machine), None)


def this_system() -> str | None:
    """Return the Nix system of this machine, or None if nixpy does not support it."""
    return _PLATFORMS.get((platform.system(), platform.machine()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One Nix system with one CPython (with the GIL).

    `python` is the full version (`3.13.9`). `glibc` is the version in the nixpkgs release, such as (2, 42); Darwin
    ignores it. Raises NixpyError for an unknown system, and for a Python that is not a final release of 3.8 or later.
    """

    system: str
    python: str
    glibc: tuple[int, int]

    def __post_init__(self) -> None:
        if self.system not in SYSTEMS:
            raise ArgumentError(f"unknown system `{self.system}`", hint=f"Use one of {', '.join(SYSTEMS)}.")
        found = _PYTHON.fullmatch(self.python)
        if not found or int(found[1]) < _OLDEST_MINOR:
            raise ArgumentError(
                f"cannot choose wheels for Python `{self.python}`",
                hint="Write the full version of a final release of CPython 3.8 or later, such as 3.13.9.",
            )

    @property
    def short_python(self) -> str:
        """The version without the patch level: `3.13`."""
        return self.python.rpartition(".")[0]

    @property
    def python_tag(self) -> str:
        """The interpreter's tag (PEP 425): `cp313`."""
        return "cp" + self.short_python.replace(".", "")

    @property
    def machine(self) -> int | None:
        """The ELF e_machine of the system's files; None for systems without ELF files."""
        return _E_MACHINE.get(self.system)

    def marker_environment(self) -> dict[str, str]:
        """Return the marker variables (PEP 508) of the target.

        Those of the running kernel are empty.
        """
        machine, _, kernel = self.system.partition("-")
        darwin = kernel == "darwin"
        return {
            "implementation_name": "cpython",
            "implementation_version": self.python,
            "os_name": "posix",
            "platform_machine": "arm64" if darwin else machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Darwin" if darwin else "Linux",
            "platform_version": "",
            "python_full_version": self.python,
            "python_version": self.short_python,
            "sys_platform": "darwin" if darwin else "linux",
        }

    def satisfies(
        self, marker: str, extras: frozenset[str] = frozenset(), groups: frozenset[str] = frozenset()
    ) -> bool:
        """Return whether a marker is true on the target.

        `extras` and `dependency_groups` are sets in it (PEP 751).

        Raises packaging's InvalidMarker if the marker is invalid or uses a variable that lock files lack (`extra`).
        """
        return _evaluate(self, marker, extras, groups)

    def tags(self) -> tuple[Tag, ...]:
        """Return the tags that an installer accepts, best first.

        The order is that of pip and uv (PEP 425 and 600).
        """
        return tuple(tag_ranks(self))


@cache
def tag_ranks(target: Target) -> dict[Tag, int]:
    """Return every accepted tag of `target` with its rank, 0 for the best.

    Do not modify the result.
    """
    version = tuple(int(part) for part in target.short_python.split("."))
    platforms = tuple(_platforms(target))
    ranks: dict[Tag, int] = {}
    for tag in cpython_tags(version, [target.python_tag], platforms):
        ranks.setdefault(tag, len(ranks))
    for tag in compatible_tags(version, target.python_tag, platforms):
        ranks.setdefault(tag, len(ranks))
    return ranks


def _platforms(target: Target) -> Iterator[str]:
    machine, _, kernel = target.system.partition("-")
    if kernel == "darwin":
        yield from mac_platforms(MACOS, "arm64")
        return
    # PEP 513 reaches down to glibc 2.5; other machines than x86 began with 2.17 (PEP 599).
    oldest = 5 if machine == "x86_64" else 17
    major, newest = target.glibc
    for minor in range(newest, oldest - 1, -1):
        yield f"manylinux_{major}_{minor}_{machine}"
        if legacy := _LEGACY.get((major, minor)):
            yield f"{legacy}_{machine}"
    # Last, as in pip and uv: a project with both kinds of wheel means the manylinux one for other machines.
    yield f"linux_{machine}"


@cache
def _marker(text: str) -> Marker:
    return Marker(text)


@cache
def _evaluate(target: Target, marker: str, extras: frozenset[str], groups: frozenset[str]) -> bool:
    environment: dict[str, str | AbstractSet[str]] = {"extras": extras, "dependency_groups": groups}
    environment |= target.marker_environment()
    try:
        return _marker(marker).evaluate(environment, context="lock_file")
    except (KeyError, UndefinedComparison) as error:
        raise InvalidMarker(str(error)) from None
