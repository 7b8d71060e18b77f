"""Define the Python API: the functions of `import nixpy`.

The command line calls them, too.

Each function imports its modules when it is called, so that a program loads only what it uses. Only what
`nixpy.__all__` names is stable, with the members that docs/reference/python.md lists.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from mmap import mmap

    from packaging.specifiers import SpecifierSet

    from nixpy.commands.check import Verdict
    from nixpy.commands.plan import Plan
    from nixpy.commands.scan import Scan
    from nixpy.core.target import Target
    from nixpy.libraries.catalogue import SonameEntry
    from nixpy.locks.model import Lock, Package
    from nixpy.needs.model import ElfFile
    from nixpy.project.project import Project
    from nixpy.wheels.gather import Progress

StrPath: TypeAlias = str | os.PathLike[str]


def read_project(path: StrPath = ".") -> Project:
    """Read the project in a folder: its settings, its dependencies and its lock file.

    Args:
        path: The folder, which has a pyproject.toml, a lock file, requirements files, a setup.py or a setup.cfg.

    Raises:
        ProjectError: The folder has no Python project, or one of its files or settings is not valid.
        LockError: The lock file of the project's workspace is not valid.

    >>> import nixpy
    >>> project = nixpy.read_project("demo")
    >>> project.source.name
    'poetry.lock'
    """
    from nixpy.project.project import read

    return read(Path(path))


def plan(
    project: Project,
    style: str | None = None,
    *,
    python: str | None = None,
    systems: Collection[str] = (),
    nixpkgs: str | None = None,
    manager: str | None = None,
    features: Collection[str] = (),
    flake: bool | None = None,
    direnv: bool = False,
    user_files: bool = True,
    offline: bool = False,
    rescan: bool = False,
    upgrade: bool = False,
    allow_build: bool | Collection[str] = False,
    progress: Progress | None = None,
) -> Plan:
    """Plan the files that `nixpy init` would write, without writing any.

    nixpy reads the needs of the wheels from the first source that has them: nixpy.lock, the cache, `.venv`, the package
    index. Without a lock file, uv resolves the requirements.

    Args:
        project: A project, as `read_project` returns it.
        style: A name that `nixpy styles` lists; by default that of the settings, or the one that nixpy recommends.
        python: A version such as "3.13"; it and the next four come from the settings by default.
        systems: Nix systems such as "x86_64-linux".
        nixpkgs: A branch or a revision of nixpkgs.
        manager: The program that fills `.venv`.
        features: Features in addition to those of the settings.
        flake: Plan a flake.nix, or without it a shell.nix; by default a flake.nix, unless the project has only a
            shell.nix or default.nix.
        direnv: Plan an .envrc as well, if there is none.
        user_files: Plan the files that nixpy writes once for the user, too. Without them, the plan has only the
            files of `nixpy sync`, nixpy.nix and nixpy.lock, and the settings must name a style.
        offline: Use no network. A wheel that is not known then gets every library that its platform tag allows.
        rescan: Open every wheel again.
        upgrade: Let uv choose newer versions if no lock file pins them.
        allow_build: Let uv build packages without a wheel to learn their requirements: all, or those with these names.
        progress: An object with the methods of `Progress`, which nixpy calls while it reads wheels.

    Raises:
        ProjectError: The settings or the dependencies of the project are not valid, or do not fit the style.
        LockError: The lock file is not valid, or lacks something that the project installs.
        NetworkError: A package index cannot be reached, or does not have a locked file.
        NixpyError: An argument is not valid, a wheel cannot be read, or uv finds no solution.

    >>> import nixpy
    >>> plan = nixpy.plan(nixpy.read_project("demo"), offline=True)
    >>> [file.path.name for file in plan.files if file.generated]
    ['nixpy.lock', 'nixpy.nix']
    >>> plan.style
    'wrapped-python'
    """
    from nixpy.analysis.analysis_options import AnalysisOptions
    from nixpy.commands.init import plan_files
    from nixpy.environment.options import Options

    options = Options(
        style=style,
        manager=manager,
        python=python,
        nixpkgs=nixpkgs,
        systems=_names(systems),
        features=_names(features),
        flake=flake,
        direnv=direnv,
    )
    analysis_options = AnalysisOptions(
        root=project.root,
        offline=offline,
        rescan=rescan,
        upgrade=upgrade,
        allow_build=allow_build,
        progress=progress,
    )
    return plan_files(project, options, analysis_options, user_files=user_files)


def check(project: Project, *, rescan: bool = False, progress: Progress | None = None) -> Verdict:
    """Compare the generated files of a project with those that nixpy generates now.

    Args:
        project: A project, as `read_project` returns it.
        rescan: Open every wheel again, over the network if necessary. Otherwise nixpy uses the needs in nixpy.lock,
            and neither the network nor Nix.
        progress: An object with the methods of `Progress`, which nixpy calls while it reads wheels.

    Returns:
        The verdict. Its `state` is the worst state of the files; it equals a string such as "fresh" or "stale".

    Raises:
        ProjectError: The settings or the dependencies of the project are not valid.
        LockError: The lock file is not valid.
        NetworkError: With `rescan`, a package index cannot be reached.
        NixpyError: A generated file or a wheel cannot be read.

    >>> import nixpy
    >>> verdict = nixpy.check(nixpy.read_project("demo"))
    >>> verdict.state == "fresh"
    True
    >>> [file.path.name for file in verdict.files]
    ['nixpy.lock', 'nixpy.nix']
    """
    from nixpy.commands import check as command

    return command.rescan(project, progress) if rescan else command.check(project)


def scan(
    target: StrPath | Sequence[StrPath],
    *,
    python: str | None = None,
    systems: Collection[str] = (),
    nixpkgs: str | None = None,
    dependencies: bool = True,
    offline: bool = False,
    rescan: bool = False,
    allow_build: bool | Collection[str] = False,
    progress: Progress | None = None,
) -> Scan:
    """Find out which libraries wheels need, and their providers.

    Args:
        target: A project folder, a lock file, a requirements file, a virtual environment, a wheel file, or a
            requirement such as "numpy==2.5.5", which uv resolves; or several wheel files, or several requirements.
        python: A version such as "3.13"; by default the one that fits the target.
        systems: Nix systems such as "x86_64-linux"; by default those of the project, or that of this machine.
        nixpkgs: A branch or a revision of nixpkgs.
        dependencies: Scan the dependencies of requirements, too.
        offline: Use no network. A wheel that is not known then gets every library that its platform tag allows.
        rescan: Open every wheel again.
        allow_build: Let uv build packages without a wheel to learn their requirements: all, or those with these names.
        progress: An object with the methods of `Progress`, which nixpy calls while it reads wheels.

    Raises:
        ProjectError: The project or the requirements file is not valid.
        LockError: The lock file is not valid.
        NetworkError: A package index cannot be reached, or does not have a locked file.
        NixpyError: The target is none of these, a wheel cannot be read, or uv finds no solution.

    >>> import nixpy
    >>> scan = nixpy.scan("demo", python="3.13", systems=["x86_64-linux"], offline=True)
    >>> scan.python, scan.systems
    ('3.13', ('x86_64-linux',))
    """
    from nixpy.analysis.analysis_options import AnalysisOptions
    from nixpy.commands.scan import scan as command
    from nixpy.environment.options import Options

    return command(
        _names(target),
        Options(python=python, nixpkgs=nixpkgs, systems=_names(systems)),
        AnalysisOptions(root=Path(), offline=offline, rescan=rescan, allow_build=allow_build, progress=progress),
        deps=dependencies,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LockFile:
    """A validated lock file; `path` is its path.

    `requires_python` are the Python versions that it is for, or None if the file does not state them.
    """

    path: Path
    requires_python: SpecifierSet | None
    _lock: Lock = field(repr=False)

    def packages(
        self, target: Target, extras: Collection[str] = (), groups: Collection[str] | None = None
    ) -> tuple[Package, ...]:
        """Return the packages that an installer installs on `target`.

        They are sorted by name, and have all their wheels.

        Args:
            target: A target, as `make_target` returns it.
            extras: Extras of the project.
            groups: Dependency groups of the project; None means the default ones.

        Raises:
            LockError: The lock has no such extra or group, or is not for this Python.
        """
        from packaging.utils import canonicalize_name

        from nixpy.locks.model import ExtrasAndGroups

        return self._lock.packages(
            target,
            ExtrasAndGroups(
                extras=frozenset(map(canonicalize_name, _names(extras))),
                groups=None if groups is None else frozenset(map(canonicalize_name, _names(groups))),
            ),
        )


def read_lock(path: StrPath) -> LockFile:
    """Read a lock file: uv.lock, pylock.toml, poetry.lock or pdm.lock.

    Its name decides the format.

    Raises:
        LockError: The file is missing, damaged, of a version that nixpy does not read, or of another format.

    >>> import nixpy
    >>> lock = nixpy.read_lock("demo/poetry.lock")
    >>> target = nixpy.make_target("x86_64-linux", python="3.13")
    >>> "pillow" in [package.name for package in lock.packages(target)]
    True
    """
    from nixpy.locks import formats

    lock = formats.read(Path(path))
    return LockFile(path=lock.path, requires_python=lock.requires_python, _lock=lock)


def make_target(system: str, *, python: str | None = None, nixpkgs: str | None = None) -> Target:
    """Return a system with the Python and the glibc that nixpkgs has for it.

    Args:
        system: A Nix system: "x86_64-linux", "aarch64-linux" or "aarch64-darwin".
        python: A version such as "3.13"; by default the one that nixpkgs calls python3.
        nixpkgs: A branch or a revision; by default the current stable branch.

    Raises:
        NixpyError: nixpy does not know the system, or this nixpkgs does not have that Python.

    >>> import nixpy
    >>> target = nixpy.make_target("aarch64-linux", python="3.13", nixpkgs="nixos-25.11")
    >>> target.python_tag, target.glibc
    ('cp313', (2, 40))
    """
    from nixpy.core.target import Target
    from nixpy.nixpkgs import releases
    from nixpy.project.config import nixpkgs_ref

    release = releases.release(nixpkgs_ref(nixpkgs) if nixpkgs else releases.current())
    minor, _ = releases.choose_python(python, None, None, release)
    return Target(system=system, python=release.full_version(minor), glibc=release.glibc)


def read_elf(data: bytes | bytearray | memoryview | mmap, name: str) -> ElfFile | None:
    """Read the linking facts of an ELF file.

    These are DT_NEEDED, DT_SONAME, its interpreter and the glibc it needs.

    Args:
        data: The bytes of the whole file.
        name: The `path` of the result.

    Returns:
        The facts, or None if no 64-bit little-endian loader links the file at run time: other formats, object files,
        static programs, and damaged files. It never raises an exception, whatever the bytes.

    >>> import nixpy
    >>> nixpy.read_elf(b"not an ELF file", "example.so") is None
    True
    """
    from nixpy.needs import elf

    try:
        return elf.read(data, name)
    except elf.UnreadableError:
        return None


def find_soname(name: str) -> SonameEntry | None:
    """Find the provider of a soname, and its nixpkgs expression.

    Returns:
        The entry of nixpy's catalogue, or None if the catalogue does not have the soname.

    >>> import nixpy
    >>> entry = nixpy.find_soname("libz.so.1")
    >>> entry.provider, entry.expression
    ('nixpkgs', 'pkgs.zlib')
    >>> nixpy.find_soname("libcuda.so.1").provider
    'host-driver'
    >>> nixpy.find_soname("libunknown.so.7") is None
    True
    """
    from nixpy.libraries.catalogue import catalogue

    return catalogue().find(name)


def _names(given: StrPath | Iterable[StrPath]) -> tuple[str, ...]:
    """Return one name, or several, as a tuple of strings."""
    return (os.fspath(given),) if isinstance(given, str | os.PathLike) else tuple(os.fspath(one) for one in given)
