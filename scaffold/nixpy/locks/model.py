"""Define the model of all lock formats.

It has packages, their files, and the locked wheels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName

from nixpy.core.target import Target
from nixpy.needs.model import RuntimeOpen

# The paths of files on PyPI and its mirrors: by the BLAKE2b-256 of each.
_PYPI = re.compile(r"/packages/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}/")


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelFile:
    """A wheel file, or an sdist, that a lock offers.

    `url` may contain credentials and is never recorded or shown. `sha256` is lower-case hex, or None if the lock has
    none. A local wheel has a `path` and no `url`. If a lock has neither, nixpy looks on `indexes`, one after the
    other; None means the indexes in the user's settings.
    """

    filename: str
    sha256: str | None = None
    url: str | None = field(default=None, repr=False)
    path: Path | None = None
    indexes: tuple[str | None, ...] = field(default=(), repr=False)
    size: int | None = field(default=None, compare=False)  # in bytes

    @property
    def of_pypi(self) -> bool:
        """Whether its address is on PyPI, or on a mirror with the same paths."""
        return self.url is not None and bool(_PYPI.search(self.url))


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One package that a lock installs on one target.

    It has every wheel that the lock has for any target.
    """

    name: NormalizedName
    version: str | None
    wheels: tuple[WheelFile, ...] = ()
    sdist: bool = False  # it can be built: an sdist, a source tree, a VCS address
    sdist_file: WheelFile | None = None  # the sdist, if it is one file
    local: bool = False  # the project, a workspace member or an editable: installed in place
    folder: Path | None = None  # its source tree on this machine, which need not exist
    repository: bool = False  # its source is in a version control system


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtrasAndGroups:
    """The extras and dependency groups to install, and the members of a workspace.

    `groups` None means the default groups, `members` None all members.
    """

    extras: frozenset[NormalizedName] = frozenset()
    groups: frozenset[NormalizedName] | None = None
    members: frozenset[NormalizedName] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The requirements that one pyproject.toml declares, as written.

    `extras` None means that only a build shows them.
    """

    dependencies: tuple[Requirement, ...] = ()
    extras: Mapping[NormalizedName, tuple[Requirement, ...]] | None = field(default_factory=dict)
    groups: Mapping[NormalizedName, tuple[Requirement, ...]] = field(default_factory=dict)


class Lock(Protocol):
    """A lock file, read and validated."""

    @property
    def path(self) -> Path:
        """The path of the lock file."""

    @property
    def requires_python(self) -> SpecifierSet | None:
        """The Python versions that the lock is for; None if it does not state them."""

    def admits(self, target: Target) -> bool:
        """Return whether the lock was made for the system of `target`."""

    def packages(self, target: Target, extras_and_groups: ExtrasAndGroups) -> tuple[Package, ...]:
        """Return the packages that an installer installs on `target`.

        They are sorted by name, each name once.
        """

    def groups(self, extras_and_groups: ExtrasAndGroups) -> frozenset[str]:
        """Return the names of the groups to install, the default ones if none are named."""

    def fresh(self) -> bool | None:
        """Return whether the lock is up to date with pyproject.toml.

        Returns None if the lock does not record that.
        """

    def differences(self, declared: Declared, target: Target, folder: Path | None = None) -> tuple[str, ...] | None:
        """Return the packages with requirements that changed after locking.

        They are sorted by name.

        `declared` are the current requirements of the project in `folder`, by default the project of the lock. Returns
        None if the lock does not record the old ones.
        """

    @property
    def members(self) -> Mapping[NormalizedName, Path]:
        """The members of the workspace, with their folders.

        Empty if the lock is for one project.
        """

    def has_project(self) -> bool:
        """Return whether the lock contains the project in its `root`.

        A lock may contain only projects in parent folders.
        """

    def is_empty(self) -> bool:
        """Return whether the lock holds neither packages nor requirements.

        uv writes such a lock for a folder without a project.
        """


class LockDefaults:
    """The defaults for a lock without groups.

    Such a lock does not record whether it is up to date, and is for every system.
    """

    def admits(self, target: Target) -> bool:  # noqa: ARG002
        """Return True."""
        return True

    def groups(self, extras_and_groups: ExtrasAndGroups) -> frozenset[str]:
        """Return the named groups."""
        return frozenset(extras_and_groups.groups or ())

    def fresh(self) -> bool | None:
        """Return None: the lock does not record it."""
        return None

    def differences(
        self,
        declared: Declared,  # noqa: ARG002
        target: Target,  # noqa: ARG002
        folder: Path | None = None,  # noqa: ARG002
    ) -> tuple[str, ...] | None:
        """Return None: the lock does not record it."""
        return None

    @property
    def members(self) -> Mapping[NormalizedName, Path]:
        """None: the lock is for one project."""
        return {}

    def has_project(self) -> bool:
        """Return True: the lock is in the folder of its project."""
        return True

    def is_empty(self) -> bool:
        """Return False: the tool writes a lock only for a project."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedWheel:
    """The wheel that an installer chooses on `system`, with its file."""

    system: str
    name: NormalizedName
    version: str
    file: WheelFile

    @property
    def identity(self) -> tuple[str, str, str, str, str | None]:
        """The key that this wheel shares with one in nixpy.lock if its needs apply.

        See `nixpylock.Wheel`.
        """
        return (self.system, self.name, self.version, self.file.filename, self.file.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class SdistFacts:
    """Facts of an sdist: its build requirements, and whether it compiles files.

    `opens` are the libraries that its sources open at run time, or None if nixpy has not read them.
    """

    build: tuple[NormalizedName, ...]
    compiled: bool
    opens: tuple[RuntimeOpen, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """A locked package without a wheel for `system`; `sdist`: it can be built there.

    Two are equal if package and system are the same. `sdist_file` is its sdist, `sdist_facts` the facts in that file or
    in its folder. `source` is the place of a package that is in no file.
    """

    system: str
    name: NormalizedName
    version: str | None
    sdist: bool
    sdist_file: WheelFile | None = field(default=None, compare=False, repr=False)
    sdist_facts: SdistFacts | None = field(default=None, compare=False)
    source: Literal["folder", "repository"] | None = field(default=None, compare=False)

    @property
    def compiled(self) -> bool:
        """Whether building it needs a compiler, as far as is known."""
        return self.sdist and (self.sdist_facts is None or self.sdist_facts.compiled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """The wheels that a lock installs on every target.

    With them are the packages without a wheel. Both are sorted by system and name.
    """

    wheels: tuple[LockedWheel, ...]
    unavailable: tuple[Unavailable, ...]
