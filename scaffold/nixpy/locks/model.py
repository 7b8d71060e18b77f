"""What every lock format is read into, and what selection makes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName

from nixpy.core.target import Target

# Where PyPI and its mirrors keep files: by the BLAKE2b-256 of each.
_PYPI = re.compile(r"/packages/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}/")


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelFile:
    """A wheel file, or an sdist, that a lock offers.

    `url` may hold credentials and is never recorded or shown. `sha256` is lower-case hex, absent where the lock has
    none. A local wheel has a `path` and no `url`. A lock that says neither tells which `indexes` are to be asked, one
    after the other; None stands for those of the user's settings.
    """

    filename: str
    sha256: str | None = None
    url: str | None = field(default=None, repr=False)
    path: Path | None = None
    indexes: tuple[str | None, ...] = field(default=(), repr=False)

    @property
    def of_pypi(self) -> bool:
        """Whether its address is PyPI's, or of a mirror that keeps files as PyPI does."""
        return self.url is not None and bool(_PYPI.search(self.url))


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One package that a lock installs on one target, with every wheel it offers for any target."""

    name: NormalizedName
    version: str | None
    wheels: tuple[WheelFile, ...] = ()
    sdist: bool = False  # it can be built: an sdist, a source tree, a VCS address
    source: WheelFile | None = None  # the sdist, where it is one file
    local: bool = False  # the project, a workspace member or an editable: in place, nothing to open


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which optional parts of a project are installed. `groups` None: those `uv sync` installs by default."""

    extras: frozenset[NormalizedName] = frozenset()
    groups: frozenset[NormalizedName] | None = None


class Lock(Protocol):
    """A lock file, read and validated."""

    @property
    def path(self) -> Path:
        """The file it was read from."""

    @property
    def requires_python(self) -> SpecifierSet | None:
        """What it says of the Pythons it is for."""

    def packages(self, target: Target, choice: Choice) -> tuple[Package, ...]:
        """Return what an installer would install on `target`, sorted by name, each name once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedWheel:
    """The wheel an installer would choose on `system`, and where it can be had."""

    system: str
    name: NormalizedName
    version: str
    file: WheelFile

    @property
    def identity(self) -> tuple[str, str, str, str, str | None]:
        """What a wheel in nixpy.lock (`nixpylock.Wheel`) must have in common with this one for its needs to hold."""
        return (self.system, self.name, self.version, self.file.filename, self.file.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What an sdist says: the names of what its build system requires, and whether it holds anything to compile."""

    build: tuple[NormalizedName, ...]
    compiled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """A locked package without a wheel for `system`; `sdist` says whether it could be built there.

    Equal are those of the same package: `file` is where its sdist can be had, `source` what that says, if it was read.
    """

    system: str
    name: NormalizedName
    version: str | None
    sdist: bool
    file: WheelFile | None = field(default=None, compare=False, repr=False)
    source: Source | None = field(default=None, compare=False)

    @property
    def compiled(self) -> bool:
        """Whether a compiler builds it, as far as is known."""
        return self.sdist and (self.source is None or self.source.compiled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the project installs on every system asked for, sorted by system and name."""

    wheels: tuple[LockedWheel, ...]
    unavailable: tuple[Unavailable, ...]
