"""Observe a virtual environment: its Python, packages, missing libraries."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from packaging.utils import NormalizedName

from nixpy.core.target import SYSTEMS, Target
from nixpy.doctor import moved
from nixpy.doctor.facts import (
    Host,
    MissingLibrary,
    MissingVersion,
    Program,
    StartedPython,
    UnreadableFile,
    Venv,
    WheelProgram,
    folders,
    in_store,
)
from nixpy.doctor.fit import unfit
from nixpy.doctor.interpreter import packages_in, packages_of, read_program
from nixpy.doctor.loader import Files, Search
from nixpy.doctor.opened import preloaded, unopened
from nixpy.doctor.packages import Packages, unreadable_file, without_record
from nixpy.doctor.versions import missing_versions
from nixpy.libraries.catalogue import catalogue
from nixpy.libraries.match import WheelNeeds
from nixpy.libraries.opened import is_affordable
from nixpy.needs import elf
from nixpy.needs.derive import needs_of
from nixpy.needs.model import Needs, RuntimeOpen, WheelFacts
from nixpy.needs.roots import is_executable
from nixpy.project import pyvenv
from nixpy.wheels.archive import Content, Member
from nixpy.wheels.elf_files import candidates
from nixpy.wheels.installed import InstalledWheel, installed_wheels

# The folders of packages below a prefix, in the sysconfig schemes of CPython and Debian.
_LIBS, _SITES = ("lib", "lib64", "local/lib"), ("site-packages", "dist-packages")
_NIX_LD_DEFAULT = Path("/run/current-system/sw/share/nix-ld/lib")  # the default of nix-ld without a variable


def read_venv(folder: Path) -> Venv | None:
    """Return the virtual environment in `folder`, in whatever state, or None.

    Raises OSError if it cannot be read.
    """
    versions = tuple(sorted(path.name.removeprefix("python") for path in folder.glob("lib/python3.*")))
    link = folder / "bin/python"
    if not (folder / pyvenv.NAME).is_file() and not link.is_symlink() and not (versions and (folder / "bin").is_dir()):
        return None
    python = read_program(link)
    config = pyvenv.read_config(folder)
    home = config.get("home")
    inherits = config.get("include-system-site-packages", "").lower() == "true"
    return Venv(
        folder=folder,
        python=python,
        leaves=_leaves(folder, python),
        home=home,
        has_config=(folder / pyvenv.NAME).is_file(),
        version=pyvenv.python_version(config),
        versions=versions,
        inherits=inherits,
        other_folders=tuple(moved.other_folders(folder)),
        packages=packages_of(folder),
        system_packages=_system_packages(Path(home).parent, versions) if inherits and home else frozenset(),
    )


def _system_packages(prefix: Path, versions: tuple[str, ...]) -> frozenset[str]:
    """Return the packages in the site-packages of a Python installation.

    Debian names these folders differently.
    """
    places = [f"{lib}/python{version}/{name}" for version in versions for lib in _LIBS for name in _SITES]
    return packages_in(prefix / place for place in (*places, *(f"{lib}/python3/dist-packages" for lib in _LIBS)))


def _leaves(folder: Path, python: Program) -> Path | None:
    for link, target in zip(python.links, python.links[1:], strict=False):
        if not target.is_relative_to(folder):
            return link
    return None


def _searches(
    host: Host, started: StartedPython | None, environ: Mapping[str, str]
) -> tuple[Search | None, Search | None, Search | None]:
    """Return the search paths of three kinds of processes.

    They are the interpreter, programs for the host's loader, and programs for the store's.

    A search path is None if it is unknown, or if such a program does not start.
    """
    if started is None or started.search is None:
        return None, None, None
    told = tuple(map(Path, folders(environ.get("LD_LIBRARY_PATH", ""))))
    interpreter = Search(
        folders=started.search, loaded=started.loaded, cached=started.cached, libraries=started.libraries
    )
    # A program likely has the interpreter's glibc, and so the folders that this glibc searches.
    nix_folders = tuple(folder for folder in started.search if started.loader and in_store(folder))
    nix_ld = None
    if host.at_loader == "nix-ld":
        suffix = host.system.replace("-", "_")
        listed = environ.get(f"NIX_LD_LIBRARY_PATH_{suffix}", environ.get("NIX_LD_LIBRARY_PATH"))
        extra = tuple(map(Path, folders(listed))) if listed is not None else (_NIX_LD_DEFAULT,)
        nix_ld = Search(folders=(*told, *extra, *nix_folders), cached=started.cached)
    return interpreter, nix_ld, Search(folders=(*told, *nix_folders), cached=started.cached)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheels:
    """The installed wheels: their needs, their programs, and what is missing for them.

    `unfit` has the words for why a wheel is not for this machine or Python, by name. `unreadable_elf` has the ELF files
    of which nixpy cannot read what they link to, by name.
    """

    asking: tuple[WheelNeeds, ...]
    programs: tuple[WheelProgram, ...]
    unfound: tuple[MissingLibrary, ...]
    versions: tuple[MissingVersion, ...]
    unfit: Mapping[str, str]
    unreadable: tuple[UnreadableFile, ...]
    unreadable_elf: Mapping[str, tuple[Path, ...]]
    elf_files: int = 0


class _Readable:
    """The Archive of an installed wheel without the files that cannot be read.

    Those are in `unreadable`; `versions` are the symbol versions that its ELF files need.
    """

    def __init__(self, wheel: InstalledWheel) -> None:
        self._wheel = wheel
        self.unreadable: list[UnreadableFile] = []
        self.versions: dict[str, tuple[tuple[str, str], ...]] = {}

    def members(self) -> Sequence[Member]:
        """Return the members of the wheel."""
        return self._wheel.members()

    def head(self, path: str, size: int) -> bytes:
        """Return the first bytes of a file, none if it cannot be read."""
        try:
            return self._wheel.head(path, size)
        except OSError as error:
            self._keep(path, error)
            return b""

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, Content]]:
        """Yield each file that can be read."""
        for path in paths:
            try:
                data = self._wheel.content(path)
            except OSError as error:
                self._keep(path, error)
                continue
            self.versions[path] = elf.needed_versions(data)
            yield path, data

    def _keep(self, path: str, error: OSError) -> None:
        self.unreadable.append(unreadable_file(self._wheel.file(path), self._wheel.name, error))


def inspect_wheels(
    venv: Venv,
    host: Host,
    started: StartedPython | None,
    environ: Mapping[str, str],
    packages: Packages,
    recorded: Mapping[tuple[str, str], tuple[RuntimeOpen, ...]],
) -> Wheels:
    """Read every installed ELF file and simulate the search of the loader.

    `recorded` is what nixpy.lock says that packages open at run time, by name and version.

    A soname that another wheel of the environment ships is not a need: the packages load each other's libraries by
    path. On macOS wheels contain what they need, and nothing is missing. Wheels for another machine or Python are left
    out: their libraries would not help.
    """
    machine = _machine(host)
    installed = {**without_record(venv.folder, packages), **installed_wheels(venv.folder)}
    readable = {name: _Readable(wheel) for name, wheel in installed.items()}
    every = {name: _elf_facts(archive) for name, archive in readable.items()}
    musl = venv.python.loader is not None and "ld-musl" in venv.python.loader.name
    words = {name: unfit(wheel, every[name].files, host, machine, musl=musl) for name, wheel in installed.items()}
    wheels = {name: wheel for name, wheel in installed.items() if not words[name]}
    elves = {name: tuple(file for file in every[name].files if file.machine == machine) for name in wheels}
    needs = {
        name: needs_of(name, replace(every[name], opens=recorded.get((name, str(wheel.version)), ())), machine)
        for name, wheel in wheels.items()
    }
    asking = tuple(
        WheelNeeds(system=host.system, name=name, filename=wheels[name].filename, needs=need)
        for name, need in needs.items()
    )
    shipped = frozenset(soname for need in needs.values() for soname in need.provides)
    kinds = _searches(host, started, environ)
    places = {name: {file.path: wheel.file(file.path) for file in elves[name]} for name, wheel in wheels.items()}
    files = {name: Files(files=elves[name], places=places[name]) for name in wheels}
    return Wheels(
        elf_files=sum(map(len, elves.values())),
        asking=asking,
        programs=tuple(
            WheelProgram(wheel=name, path=places[name][file.path], loader=Path(file.interpreter))
            for name, files in elves.items()
            for file in files
            if is_executable(file) and file.interpreter
        ),
        unfound=(
            *(found for name in wheels for found in _unfound(name, needs[name], files[name], shipped, kinds)),
            *unopened(asking, kinds[0] and replace(kinds[0], loaded=kinds[0].loaded | preloaded(venv.folder))),
        ),
        versions=tuple(_versions(files, readable, kinds[0], started)),
        unfit={name: text for name, text in words.items() if text},
        unreadable_elf={
            name: tuple(wheels[name].file(path) for path in need.unreadable)
            for name, need in needs.items()
            if need.unreadable
        },
        unreadable=tuple(file for archive in readable.values() for file in archive.unreadable),
    )


def _elf_facts(archive: _Readable) -> WheelFacts:
    """Return the facts of the ELF files of a wheel, and no others."""
    files, unreadable = [], []
    for path, content in archive.read(candidates(archive)):
        try:
            file = elf.read(content, path)
        except elf.UnreadableError:
            unreadable.append(path)
        else:
            files += [file] if file else []
    return WheelFacts(files=tuple(files), known="installed", unreadable=tuple(unreadable))


def _versions(
    files: Mapping[NormalizedName, Files],
    readable: Mapping[NormalizedName, _Readable],
    search: Search | None,
    started: StartedPython | None,
) -> Iterator[MissingVersion]:
    """Yield the symbol versions that wheels need and do not find."""
    if search is None or started is None:
        return
    shipped: dict[str, list[Path]] = defaultdict(list)
    for one in files.values():
        for file in one.files:
            for soname in {file.soname, PurePosixPath(file.path).name} - {None}:
                shipped[str(soname)].append(one.places[file.path])
    loader = started.loader and Path(os.path.realpath(started.loader))
    for name, one in files.items():
        yield from missing_versions(name, one, readable[name].versions, search, loader, shipped)


def _machine(host: Host) -> int | None:
    """Return the ELF e_machine of this host; it does not depend on Python or glibc."""
    return Target(system=host.system, python="3.13.0", glibc=(2, 17)).machine if host.system in SYSTEMS else None


def _unfound(
    wheel: NormalizedName,
    needs: Needs,
    files: Files,
    shipped: frozenset[str],
    kinds: tuple[Search | None, Search | None, Search | None],
) -> Iterator[MissingLibrary]:
    interpreter, foreign, native = kinds
    for soname in sorted({name for name, _ in needs.sonames} - shipped):
        missed: set[str] = set()
        for search, part in (
            (interpreter, [file for file in files.files if not is_executable(file)]),
            (foreign, [file for file in files.files if is_executable(file) and not in_store(file.interpreter)]),
            (native, [file for file in files.files if is_executable(file) and in_store(file.interpreter)]),
        ):
            if search:
                wanted = {file.path for file in part}
                missed |= wanted.intersection(files.unfound(soname, search))
        if missed:
            yield MissingLibrary(
                soname=soname, wheel=wheel, files=tuple(sorted(missed)), optional=_is_spared(soname, needs)
            )


def _is_spared(soname: str, needs: Needs) -> bool:
    """Return whether nixpy leaves out a library to which a wheel links, by default."""
    if soname in needs.likely:
        entry = catalogue().find(soname)
        return entry is None or not is_affordable(entry)
    return soname in needs.optional
