"""What is observed. All values are frozen; the modules that read the machine make them, the checks judge them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from nixpy.project.managers import FOLDER
from nixpy.styles import styles

_STORE = Path("/nix/store")
DRIVER = Path("/run/opengl-driver/lib")

HostLoader = Literal["nix-ld", "stub", "none", "a loader"]
"""The file where programs of other distributions look for their loader: nix-ld; NixOS's stub, which only says that
they cannot run; none; or the loader of another distribution, or of an FHS root."""


def in_store(path: Path | str | None) -> bool:
    """Return whether a path lies in the Nix store."""
    return path is not None and Path(path).is_relative_to(_STORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The machine. `loader` is the path that programs of other distributions name on it, None on macOS."""

    system: str  # x86_64-linux
    nixos: bool
    loader: Path | None
    at_loader: HostLoader
    driver: bool  # whether the graphics driver's folder of NixOS is there


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A Python as it lies on disk, wrapper or not.

    `links` are the path itself and what each link leads to; the last is the file, which may not exist. A wrapper
    `wraps` another interpreter. `loader` is the program interpreter of an ELF file.
    """

    path: Path
    links: tuple[Path, ...]
    exists: bool
    wraps: Path | None = None
    ours: bool = False  # made by what nixpy rendered
    loader: Path | None = None

    @property
    def file(self) -> Path:
        """Where the links end."""
        return self.links[-1]

    @property
    def folder(self) -> Path:
        """The folder it was found in: an entry of PATH, or `bin` of a virtual environment."""
        return self.path.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedPython:
    """What an interpreter said of itself. `search` and `cached` are None where its loader cannot tell."""

    version: str
    base_prefix: Path
    loader: Path | None  # the loader that is mapped
    loaded: frozenset[str]  # sonames that are in the process from the start
    search: tuple[Path, ...] | None
    cached: frozenset[str]  # sonames in the loader's cache


@dataclass(frozen=True, slots=True, kw_only=True)
class OnPath:
    """One Python of PATH, and the distributions in its own site-packages."""

    program: Program
    packages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingLibrary:
    """A soname that the loader does not find for `files` of one wheel (paths in the wheel)."""

    soname: str
    wheel: str
    files: tuple[str, ...]
    optional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelProgram:
    """A program that a wheel brings, with the loader it asks for."""

    wheel: str
    path: Path
    loader: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplier:
    """Who would supply a soname, as the catalogue and the project's settings have it."""

    provider: str  # as in libraries.match.Library
    expression: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Venv:
    """A virtual environment. `leaves` is the link in `bin` that leads out of it, if one does."""

    folder: Path
    python: Program
    leaves: Path | None
    home: str | None  # `home` of pyvenv.cfg
    versions: tuple[str, ...]  # X.Y of each lib/pythonX.Y
    packages: frozenset[str]
    programs: tuple[WheelProgram, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagesCall:
    """A package that a Nix file gives to `withPackages` though it is not made by buildPythonPackage.

    `made_in` is the file in which it is built, and `made_at` the line there, None where that is all the file does.
    """

    name: str
    builder: str
    file: Path
    line: int
    made_in: Path
    made_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedProject:
    """The project in a folder. `locked` is what its lock installs here; None where there is no lock."""

    root: Path
    source: str  # the file that decides what is installed
    style: str | None
    uses_nixpy: bool  # nixpy was ever run for it
    enter: str  # the command that enters its shell
    fills: bool  # entering it fills .venv
    install: str  # the command that fills .venv by hand
    locked: frozenset[str] | None
    packages: frozenset[str]  # what it asks for itself
    systems: tuple[str, ...] = ()  # those that a style must work on
    wheels: frozenset[str] = frozenset()  # what nixpy.lock has a wheel of here

    @property
    def folder(self) -> str:
        """Where its style installs packages, empty where it does not."""
        return styles.find(self.style).folder if self.style else FOLDER

    @property
    def venv_in_root(self) -> bool:
        """Whether its .venv works only in the root file system of its style."""
        return self.style is not None and styles.find(self.style).venv_in_root


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """What `nixpy check` says: nothing where all is well."""

    state: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """What git says of the files that a flake needs; `open_venv` where a .venv is in the tree and not ignored."""

    unknown: tuple[str, ...]
    open_venv: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that was observed. What is None is not there, or could not be read: then `unread` says why, by its name."""

    environ: Mapping[str, str]
    venv_folder: Path  # the virtual environment to examine
    host: Host | None = None
    pythons: tuple[OnPath, ...] = ()  # every Python of PATH, in its order
    user_packages: frozenset[str] = frozenset()
    uv: bool = False  # uv is on PATH
    uv_downloads: bool = True  # uv may bring a Python, as far as settings in files say
    venv: Venv | None = None
    started: StartedPython | None = None
    unfound: tuple[MissingLibrary, ...] = ()
    suppliers: Mapping[str, Supplier] = field(default_factory=dict)
    rendered: frozenset[str] = frozenset()  # sonames that nixpy.nix names
    project: ObservedProject | None = None
    fresh: Freshness | None = None
    git: Git | None = None
    applied: tuple[PackagesCall, ...] = ()
    search_path: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # dangerous sonames by folder of
    # LD_LIBRARY_PATH; every folder that is not nixpy's or the driver's is there
    unread: Mapping[str, str] = field(default_factory=dict)

    @property
    def in_root(self) -> bool:
        """Whether this is the root file system of a style."""
        return "NIXPY_FHS" in self.environ

    @property
    def shell(self) -> OnPath | None:
        """The Python of the Nix shell: nixpy's, else the first of the store where this is a shell; in a root, its."""
        outside = [one for one in self.pythons if self.venv is None or one.program.folder != self.venv.python.folder]
        if self.in_root:
            return next(iter(outside), None)
        ours = next((one for one in outside if one.program.ours), None)
        if ours or "IN_NIX_SHELL" not in self.environ:
            return ours
        return next((one for one in outside if in_store(one.program.path)), None)


def folders(text: str) -> list[str]:
    """Return the entries of a variable like PATH; an empty one is the current folder and left out."""
    return [entry for entry in text.split(os.pathsep) if entry]
