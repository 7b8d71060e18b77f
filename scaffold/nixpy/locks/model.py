"""The model of all lock formats: packages, their files, and the wheels that are installed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName

from nixpy.core.target import Target

# Where PyPI and its mirrors keep files: by the BLAKE2b-256 of each.
_PYPI = re.compile(r"/packages/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}/")


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelFile:
    """A wheel file, or an sdist, that a lock offers.

    `url` may hold credentials and is never recorded or shown. `sha256` is lower-case hex, absent where the lock has
    none. A local wheel has a `path` and no `url`. Where a lock has neither, nixpy looks in `indexes`, one after the
    other; None stands for those of the user's settings.
    """

    filename: str
    sha256: str | None = None
    url: str | None = field(default=None, repr=False)
    path: Path | None = None
    indexes: tuple[str | None, ...] = field(default=(), repr=False)
    size: int | None = field(default=None, compare=False)  # in bytes

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
    sdist_file: WheelFile | None = None  # the sdist, where it is one file
    local: bool = False  # the project, a workspace member or an editable: in place, nothing to open


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtrasAndGroups:
    """The extras and dependency groups that are installed; `groups` None stands for the default groups."""

    extras: frozenset[NormalizedName] = frozenset()
    groups: frozenset[NormalizedName] | None = None


class Lock(Protocol):
    """A lock file, read and validated."""

    @property
    def path(self) -> Path:
        """The file it was read from."""

    @property
    def requires_python(self) -> SpecifierSet | None:
        """The Python versions that the lock is for; None where it does not say."""

    def packages(self, target: Target, extras_and_groups: ExtrasAndGroups) -> tuple[Package, ...]:
        """Return the packages that an installer installs on `target`, sorted by name, each name once."""

    def groups(self, extras_and_groups: ExtrasAndGroups) -> frozenset[str]:
        """Return the names of the groups that are installed, the default ones where none are named."""

    def fresh(self) -> bool | None:
        """Return whether the lock was made for pyproject.toml as it is now; None where it does not tell."""

    def differences(
        self, requirements: Iterable[Requirement], target: Target, extras_and_groups: ExtrasAndGroups
    ) -> tuple[str, ...] | None:
        """Return the packages that the project requires otherwise than when the lock was made, sorted by name.

        `requirements` are the project's own now. None where the lock does not tell.
        """

    def has_project(self) -> bool:
        """Return whether the lock is of the project in its `root`, and not only of a folder around it."""


class LockDefaults:
    """The answers of a lock that names no groups and does not say whether it is up to date."""

    def groups(self, extras_and_groups: ExtrasAndGroups) -> frozenset[str]:
        """Return the named groups."""
        return frozenset(extras_and_groups.groups or ())

    def fresh(self) -> bool | None:
        """Return None: the lock does not tell."""
        return None

    def differences(
        self,
        requirements: Iterable[Requirement],  # noqa: ARG002
        target: Target,  # noqa: ARG002
        extras_and_groups: ExtrasAndGroups,  # noqa: ARG002
    ) -> tuple[str, ...] | None:
        """Return None: the lock does not tell."""
        return None

    def has_project(self) -> bool:
        """Return True: the lock lies in the folder of its project."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedWheel:
    """The wheel that an installer chooses on `system`, and where its file is."""

    system: str
    name: NormalizedName
    version: str
    file: WheelFile

    @property
    def identity(self) -> tuple[str, str, str, str, str | None]:
        """What a wheel in nixpy.lock (`nixpylock.Wheel`) must have in common with this one for its needs to hold."""
        return (self.system, self.name, self.version, self.file.filename, self.file.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class SdistFacts:
    """Facts of an sdist: the names of what its build system requires, and whether it holds anything to compile."""

    build: tuple[NormalizedName, ...]
    compiled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """A locked package without a wheel for `system`; `sdist` says whether it can be built there.

    Two are equal where package and system are the same. `sdist_file` is its sdist, `sdist_facts` what nixpy read in it.
    """

    system: str
    name: NormalizedName
    version: str | None
    sdist: bool
    sdist_file: WheelFile | None = field(default=None, compare=False, repr=False)
    sdist_facts: SdistFacts | None = field(default=None, compare=False)

    @property
    def compiled(self) -> bool:
        """Whether a compiler builds it, as far as is known."""
        return self.sdist and (self.sdist_facts is None or self.sdist_facts.compiled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """The wheels that a lock installs on every target, and the packages without one, sorted by system and name."""

    wheels: tuple[LockedWheel, ...]
    unavailable: tuple[Unavailable, ...]
