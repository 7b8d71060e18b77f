"""Define the observed facts.

All values are frozen; observers create them, and checks read them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from packaging.specifiers import SpecifierSet

from nixpy.doctor.machine_diagnostic import MachineDiagnostic
from nixpy.project.managers import FOLDER
from nixpy.styles import styles

_STORE = Path("/nix/store")
DRIVER = Path("/run/opengl-driver/lib")
WSL_DRIVER = Path("/usr/lib/wsl/lib")  # where Windows puts its driver

HostLoader = Literal["nix-ld", "stub", "none", "a loader"]
"""The loader at the path in programs of other distributions: nix-ld; the stub of NixOS, which only reports that they
cannot run; none; or the loader of another distribution or of an FHS root."""


def in_store(path: Path | str | None) -> bool:
    """Return whether a path is in the Nix store."""
    return path is not None and Path(path).is_relative_to(_STORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The machine.

    `loader` is the path of the loader in programs of other distributions, None on macOS.
    """

    system: str  # x86_64-linux
    nixos: bool
    loader: Path | None
    at_loader: HostLoader
    driver: bool  # whether the folder of NixOS for the graphics driver exists
    drivers: Mapping[str, Path] = field(default_factory=dict)  # the folder of each file of the driver


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The file of a Python, which may be a wrapper.

    `links` are the path itself and the target of each link; the last is the file, which may not exist. A wrapper
    `wraps` another interpreter. `loader` is the program interpreter of an ELF file. `broken` is the reason why the
    system cannot start an existing file, or empty.
    """

    path: Path
    links: tuple[Path, ...]
    exists: bool
    broken: str = ""
    wraps: Path | None = None
    ours: bool = False  # made by the files of nixpy
    loader: Path | None = None

    @property
    def missing(self) -> bool:
        """Whether there is not even a link at the path."""
        return not self.exists and len(self.links) == 1

    @property
    def file(self) -> Path:
        """The file at the end of the links."""
        return self.links[-1]

    @property
    def folder(self) -> Path:
        """The folder of the path: an entry of PATH, or `bin` of a virtual environment."""
        return self.path.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedPython:
    """The facts that an interpreter printed.

    `search` and `cached` are None if its loader does not support them.
    """

    version: str
    base_prefix: Path
    loader: Path | None  # the loader that is mapped
    loaded: frozenset[str]  # sonames that are loaded at start
    search: tuple[Path, ...] | None
    cached: frozenset[str]  # sonames in the loader's cache
    libraries: Mapping[str, Path] = field(default_factory=dict)  # the files of `loaded` and `cached`
    lacks: frozenset[str] = frozenset()  # extension modules that features add, and that it does not have


@dataclass(frozen=True, slots=True, kw_only=True)
class OnPath:
    """One Python of PATH, and the distributions in its own site-packages."""

    program: Program
    packages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingLibrary:
    """A soname that the loader does not find for `files` of one wheel.

    The paths are those in the wheel. `opened` is the file that opens the library at run time, with the line if it is
    known.
    """

    soname: str
    wheel: str
    files: tuple[str, ...]
    optional: bool
    opened: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelProgram:
    """A program in a wheel, with the path of its loader."""

    wheel: str
    path: Path
    loader: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledPackage:
    """One distribution of an environment, compared with its own metadata.

    `damaged` are files of RECORD with the words for what is wrong with each; `lost` says that none is left.
    `metadata` are the words for what is wrong with its dist-info folder, and `unfit` for why its wheel does not fit.
    """

    name: str
    version: str | None
    folders: tuple[Path, ...]  # its dist-info folder; several if an installer left an old one
    installer: str = ""  # as in INSTALLER
    requirement: str = ""  # the same package again, by its address or version
    damaged: tuple[tuple[Path, str], ...] = ()
    lost: bool = False
    metadata: str = ""
    editable: Path | None = None  # the source of an editable install that does not exist
    unfit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableFile:
    """A file of the environment that cannot be read, and the reason of the system."""

    path: Path
    package: str
    reason: str
    permission: bool  # the reason is its mode or its owner
    own: bool  # it belongs to this user


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingVersion:
    """A symbol version that a file of a wheel needs and does not find.

    The loader finds `library`, which does not define it.
    """

    wheel: str
    file: str  # the path in the wheel
    soname: str
    version: str  # GLIBC_2.38
    library: Path
    newest: str | None  # the highest version of the same kind that the library defines


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplier:
    """The provider of a soname in the catalogue and the project's settings."""

    provider: str  # as in libraries.match.Library
    expression: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Venv:
    """A virtual environment.

    `leaves` is the link in `bin` that points outside, or None. `other_folders` are the folders, other than its own,
    that its scripts and `activate` name: it was moved or copied from there. With `include-system-site-packages` it
    imports the packages of the user and `system_packages`, those of the Python in `home`.
    """

    folder: Path
    python: Program
    leaves: Path | None
    home: str | None  # `home` of pyvenv.cfg
    has_config: bool = True  # pyvenv.cfg exists
    version: str | None = None  # X.Y of pyvenv.cfg
    other_folders: tuple[Path, ...] = ()
    inherits: bool = False  # include-system-site-packages of pyvenv.cfg
    system_packages: frozenset[str] = frozenset()
    versions: tuple[str, ...]  # X.Y of each lib/pythonX.Y
    packages: frozenset[str]
    programs: tuple[WheelProgram, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagesCall:
    """A package in `withPackages` that buildPythonPackage does not build.

    `made_in` is the file in which it is built, and `made_at` the line there, or None if the file does only that.
    """

    name: str
    builder: str
    file: Path
    line: int
    made_in: Path
    made_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedProject:
    """The project in a folder.

    `locked` are the packages that its lock installs here; None without a lock.
    """

    root: Path
    source: str  # the file that decides what is installed
    style: str | None
    uses_nixpy: bool  # nixpy was ever run for it
    enter: str  # the command that enters its shell
    fills: bool  # entering it fills .venv
    install: str  # the command that fills .venv by hand
    locked: frozenset[str] | None
    packages: frozenset[str]  # the packages that it requires itself
    workspace: Path | None = None  # the folder of its uv workspace, which has .venv
    python: str | None = None  # X.Y that the settings or .python-version choose
    requires_python: SpecifierSet | None = None
    systems: tuple[str, ...] = ()  # the systems that a style must work on
    copied: tuple[str, ...] = ()  # the files of its flake, if Nix copies the folder because no git tracks them
    wheels: frozenset[str] = frozenset()  # the packages with a wheel in nixpy.lock for this machine
    manager: str = "uv"  # the manager that `install` belongs to, or "none"
    local: frozenset[str] = frozenset()  # the packages of the lock that are installed in place
    features: frozenset[str] = frozenset()  # the features in its settings

    @property
    def folder(self) -> str:
        """The folder in which its style installs packages, empty if it installs none."""
        return styles.find(self.style).folder if self.style else FOLDER

    @property
    def venv_in_root(self) -> bool:
        """Whether its .venv works only in the root file system of its style."""
        return self.style is not None and styles.find(self.style).venv_in_root


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenFile:
    """A file of the project that nixpy cannot read, with its error.

    `relock` is the command that writes it again if it is a lock.
    """

    path: Path
    line: int | None
    message: str
    hint: str
    relock: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """The result of `nixpy check` for files that are not up to date."""

    state: str
    reasons: tuple[str, ...]
    settled: bool = False  # the settings name a style


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """The state of the flake's files in git.

    `open_venv`: a .venv is in the tree and not ignored.
    """

    unknown: tuple[str, ...]
    open_venv: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All observed facts.

    A fact is None if it does not exist or could not be read; `unread` then has the reason.
    """

    environ: Mapping[str, str]
    folder: Path  # of the project
    venv_folder: Path  # the virtual environment to examine
    host: Host | None = None
    pythons: tuple[OnPath, ...] = ()  # every Python of PATH, in its order
    user_packages: frozenset[str] = frozenset()
    uv: bool = False  # uv is on PATH
    uv_settings: Mapping[str, str] = field(default_factory=dict)  # in its files, about Pythons
    venv: Venv | None = None
    started: StartedPython | None = None
    failure: str = ""  # the reason why the Python of the environment did not start
    broken_files: tuple[BrokenFile, ...] = ()  # of the project
    needs_libraries: bool = True  # installed wheels need libraries that the interpreter must find
    elf_files: int = 0  # of installed wheels
    unfound: tuple[MissingLibrary, ...] = ()
    installed: tuple[InstalledPackage, ...] = ()
    unreadable: tuple[UnreadableFile, ...] = ()
    unreadable_elf: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)  # by package
    versions: tuple[MissingVersion, ...] = ()
    wanted: Mapping[str, str] = field(default_factory=dict)  # the specifier of each package that the project installs
    recorded: Mapping[str, str] = field(default_factory=dict)  # the same of nixpy.lock, if there is no lock
    importing: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # who imports a module that `started` lacks, by
    # the feature that adds it
    suppliers: Mapping[str, Supplier] = field(default_factory=dict)
    rendered: frozenset[str] = frozenset()  # sonames that nixpy.nix names
    project: ObservedProject | None = None
    fresh: Freshness | None = None
    unused: tuple[MachineDiagnostic, ...] = ()  # files that do not lead to nixpy's shell
    git: Git | None = None
    applied: tuple[PackagesCall, ...] = ()
    search_path: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # dangerous sonames by folder of
    # LD_LIBRARY_PATH, with every folder that neither nixpy nor the driver has set
    unread: Mapping[str, str] = field(default_factory=dict)

    @property
    def in_root(self) -> bool:
        """Whether this is the root file system of a style."""
        return "NIXPY_FHS" in self.environ

    @property
    def shell(self) -> OnPath | None:
        """The Python of the Nix shell.

        It is that of nixpy or of the root, else in a shell the first one of the store.
        """
        outside = [one for one in self.pythons if self.venv is None or one.program.folder != self.venv.python.folder]
        if self.in_root:
            return next(iter(outside), None)
        ours = next((one for one in outside if one.program.ours), None)
        if ours or "IN_NIX_SHELL" not in self.environ:
            return ours
        return next((one for one in outside if in_store(one.program.path)), None)


def folders(text: str) -> list[str]:
    """Return the entries of a variable like PATH.

    Without empty ones, which mean the current folder.
    """
    return [entry for entry in text.split(os.pathsep) if entry]
