"""Observe the project in a folder.

Observed are its packages, and the state of its Nix files, also in git.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from nixpy.analysis.nixpylock import Wheel
from nixpy.commands.check import check
from nixpy.commands.plan import read_nixpy_lock
from nixpy.core.errors import NixpyError, ProjectError, SettingError
from nixpy.core.git import is_checkout
from nixpy.core.git import run as run_git
from nixpy.core.read_file import read_lossy
from nixpy.diagnostics.diagnostic import with_hint
from nixpy.doctor.facts import BrokenFile, Freshness, Git, Host, ObservedProject, StartedPython, Supplier
from nixpy.doctor.machine_diagnostic import MachineDiagnostic
from nixpy.doctor.opened import modules_of
from nixpy.environment.options import resolve_options
from nixpy.files import envrc, flake_imports, projects_flake
from nixpy.index.config_files import uv_files
from nixpy.libraries.match import WheelNeeds, match
from nixpy.locks import formats
from nixpy.locks.model import Package
from nixpy.needs.model import RuntimeOpen, reached
from nixpy.project import managers, project
from nixpy.project.config import Settings
from nixpy.project.discover import is_project
from nixpy.project.own_imports import own_imports
from nixpy.styles import features, styles
from nixpy.styles.run_time import needs

_ROW = re.compile(r'^ +"([^"]{1,200})" = [^;]{1,1000}; #', re.MULTILINE)


def observe_project(folder: Path, host: Host) -> ObservedProject | None:
    """Return the project in `folder`, or None; NixpyError if it cannot be read."""
    found = _read(folder)
    if found is None:
        return None
    locked = None
    local: frozenset[str] = frozenset()
    direct: frozenset[str] = frozenset()
    try:
        resolved = resolve_options(found)
    except ProjectError as error:
        if isinstance(error, SettingError):
            raise
        # For example nixpkgs does not have the Python: no file is damaged.
        raise ValueError(with_hint(str(error), error.hint)) from None
    targets = [target for target in resolved.targets() if target.system == host.system]
    if targets:
        direct = frozenset(found.direct_names(targets))
        if found.locked:
            names = (
                package for target in targets for package in found.locked.packages(target, found.extras_and_groups)
            )
            packages = list(names)
            locked = frozenset(package.name for package in packages if not package.local)
            local = frozenset(package.name for package in packages if package.local)
    settings, nixpy_lock = found.settings, read_nixpy_lock(found)
    uses_nixpy = settings.style is not None or found.rendered.exists() or found.nixpy_lock_path.exists()
    entries = flake_imports.entries(found.root)
    leads = not (uses_nixpy and entries) or any(flake_imports.leads(entry, found) for entry in entries)
    in_root = resolved.style is not None and styles.find(resolved.style).venv_in_root
    install, manager = _install(found, resolved.manager)
    return ObservedProject(
        root=folder,
        source=found.source.name,
        style=resolved.style,
        uses_nixpy=uses_nixpy,
        enter=_enter(found) if leads else "nixpy init",
        copied=_flake_files(folder, settings) if uses_nixpy and found.flake.is_file() and not _tracked(folder) else (),
        fills=uses_nixpy and leads and not in_root and resolved.manager != managers.NONE,
        install=install,
        locked=locked,
        packages=direct,
        workspace=found.workspace,
        python=resolved.python if uses_nixpy or "python-version" in resolved.reasons["python"] else None,
        requires_python=found.requires_python,
        systems=resolved.required_systems,
        wheels=frozenset(
            wheel.name for wheel in (nixpy_lock.wheels if nixpy_lock else ()) if wheel.system == host.system
        ),
        manager=manager,
        local=local,
        features=frozenset(settings.features),
    )


def importing(folder: Path, started: StartedPython, packages: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return who imports a module that the Python lacks.

    The keys are the features that add the modules. The values are the project in `folder`, and installed packages.
    """
    found = {}
    for feature in features.features():
        if started.lacks.isdisjoint(feature.modules):
            continue
        own = is_project(folder) and own_imports([folder], feature.modules, strings=False).modules
        names = [name for name in sorted(packages) if (need := needs().get(name)) and need.feature == feature.name]
        if own or names:
            found[feature.name] = (*(["the project"] if own else []), *names)
    return found


def _read(folder: Path) -> project.Project | None:
    """Return the project in `folder`, or None."""
    if not is_project(folder):
        return None
    try:
        return project.read(folder)
    except ProjectError as error:
        if error.path == folder:  # its pyproject.toml has only settings of tools
            return None
        raise


def broken_file(error: NixpyError, folder: Path) -> BrokenFile | None:
    """Return the file that an error is about, or None if it is about no file.

    A relative path is in `folder`.
    """
    path = Path(error.path) if error.path is not None else folder
    path = path if path.is_absolute() else folder / path
    if not path.is_file():
        return None
    lock_format = formats.format_of(path)
    relock = lock_format.relock if lock_format else None
    return BrokenFile(path=path, line=error.line, message=error.message, hint=error.hint or "", relock=relock)


def _enter(found: project.Project) -> str:
    if (found.root / envrc.NAME).exists() and envrc.enters(found):
        return "direnv reload"
    if reference := projects_flake.reference(found):
        return f"nix develop {reference}"
    flake = flake_imports.FLAKE in {path.name for path in flake_imports.entries(found.root)}
    return "nix develop" if flake or not (found.root / flake_imports.SHELL).exists() else "nix-shell"


def _tracked(folder: Path) -> bool:
    """Return whether Nix takes the files of a flake in `folder` from git or Mercurial."""
    here = folder.resolve()
    return any((parent / name).exists() for parent in (here, *here.parents) for name in (".git", ".hg"))


def unused(folder: Path) -> tuple[MachineDiagnostic, ...]:
    """Return a diagnostic for a flake or an .envrc without nixpy's shell.

    Each has the command that fixes it.
    """
    found = project.read(folder)
    imports = (
        MachineDiagnostic(
            code=one.code, message=with_hint(one.message, one.hint), command="nixpy init", level="warning"
        )
        for one in flake_imports.unused(found)
    )
    entry = envrc.entry_missed(found)
    direnv = (
        MachineDiagnostic(
            code=one.code, message=one.message, command=f"{envrc.command(entry)} && direnv allow", level="warning"
        )
        for one in envrc.not_entering(found)
        if entry
    )
    return (*imports, *direnv)


def _install(found: project.Project, name: str) -> tuple[str, str]:
    """Return the install command of the manager `name`, and its manager.

    Without a manager of that name, it is that of the default one for the project.
    """
    for one in (name, managers.choose(found, None)[0]):
        if manager := managers.manager(found, one):
            return shlex.join(manager.fill), one
    lock = formats.format_of(found.source)
    return (lock.install, managers.NONE) if lock and lock.install else ("uv sync", "uv")


def wanted_versions(folder: Path, host: Host, python: str | None) -> dict[str, str]:
    """Return the specifier of each package that the project installs for a Python.

    From a lock it is the locked version, else what the project itself requires. Left out are packages in place, from a
    source tree or a repository, and requirements by address: their version is not in the lock, or may change. The
    version without its local part counts, since extras may choose between `2.9.0+cpu` and `2.9.0+cu128`.

    Raises NixpyError for a project that cannot be read.
    """
    found = _read(folder)
    if found is None:
        return {}
    targets = [target for target in resolve_options(found).targets() if target.system == host.system]
    if python:
        targets = [replace(target, python=python) for target in targets[:1]]
    if not found.locked:
        wanted: dict[str, str] = {}
        for requirement in found.direct_requirements(targets):
            if requirement.url is None and requirement.specifier:
                name = canonicalize_name(requirement.name)
                wanted[name] = ",".join(filter(None, (wanted.get(name), str(requirement.specifier))))
        return wanted
    return {
        package.name: f"=={Version(package.version).public}"
        for target in targets
        for package in found.locked.packages(target, found.extras_and_groups)
        if package.version and (package.wheels or package.sdist_file) and not package.local and _is_version(package)
    }


def recorded_versions(folder: Path, host: Host, python: str | None) -> dict[str, str]:
    """Return the specifier of each package in nixpy.lock if there is no lock.

    The shell installs these versions, since nixpy analysed them. They are for one version of Python.

    Raises NixpyError for a project or a nixpy.lock that cannot be read.
    """
    found = _read(folder)
    nixpy_lock = read_nixpy_lock(found) if found and not found.lock else None
    if nixpy_lock is None or python is None or python.split(".")[:2] != nixpy_lock.python.split(".")[:2]:
        return {}
    wheels = (wheel for wheel in nixpy_lock.wheels if wheel.system == host.system and _is_version(wheel))
    return {wheel.name: f"=={Version(wheel.version).public}" for wheel in wheels}


def recorded_opens(folder: Path, host: Host) -> Mapping[tuple[str, str], tuple[RuntimeOpen, ...]]:
    """Return what packages open at run time here, by name and version.

    nixpy.lock records it, and which modules the project and other packages import. What other modules open is left
    out. The result is empty without a nixpy.lock. Raises NixpyError for a project that cannot be read.
    """
    found = _read(folder)
    nixpy_lock = read_nixpy_lock(found) if found else None
    if nixpy_lock is None:
        return {}
    wheels = [wheel for wheel in nixpy_lock.wheels if wheel.system == host.system]
    imported = {*nixpy_lock.imported, *(module for wheel in wheels for module in wheel.needs.imports)}
    return {(wheel.name, wheel.version): reached(wheel.needs.opens, imported) for wheel in wheels}


def _is_version(package: Package | Wheel) -> bool:
    try:
        Version(package.version or "")
    except InvalidVersion:
        return False
    return True


def freshness(folder: Path) -> Freshness | None:
    """Return the state of the generated files, None if they are up to date.

    Raises NixpyError if it is unknown.
    """
    verdict = check(project.read(folder))
    if verdict.status == 0:
        return None
    return Freshness(state=verdict.state.value, reasons=tuple(map(str, verdict.reasons)), settled=verdict.settled)


def _settings_of(folder: Path) -> Settings:
    """Return the project's settings, or the defaults if there is no readable project."""
    try:
        return project.read(folder).settings
    except NixpyError:
        return Settings()


def rendered_sonames(folder: Path) -> frozenset[str]:
    """Return the sonames in the generated Nix file; empty if it does not exist."""
    path = folder / _settings_of(folder).file
    return frozenset(_ROW.findall(read_lossy(path))) if path.is_file() else frozenset()


def suppliers(folder: Path, wheels: Iterable[WheelNeeds]) -> dict[str, Supplier]:
    """Return the provider of each soname that these wheels need.

    Those that the settings ignore or leave out are not among them.
    """
    wheels = tuple(wheels)
    libraries, _ = match(wheels, _settings_of(folder).libraries, imported=modules_of(wheels))
    return {
        library.soname: Supplier(provider=library.provider, expression=library.expression)
        for library in libraries
        if library.wanted or library.optional
    }


def git(folder: Path, venv: Path) -> Git | None:
    """Return the files that git does not track.

    None outside a git tree, and OSError if git is missing.
    """
    if not is_checkout(folder):
        return None
    there = _flake_files(folder, _settings_of(folder))
    known = set(run_git(folder, "ls-files", "-z", "--", *(there or (flake_imports.FLAKE,))).stdout.split("\0"))
    inside = venv.resolve().is_relative_to(folder.resolve()) and (venv / "pyvenv.cfg").exists()
    # The check is for a file in it, since a virtual environment often has a .gitignore for its content.
    return Git(
        unknown=tuple(name for name in there if name not in known) if (folder / "flake.nix").is_file() else (),
        open_venv=inside and run_git(folder, "check-ignore", "-q", str(venv.resolve() / "pyvenv.cfg")).returncode == 1,
    )


def _flake_files(folder: Path, settings: Settings) -> tuple[str, ...]:
    """Return the files that a flake with nixpy's shell is made of."""
    nixpy_lock = str(Path(settings.file).with_name(project.NIXPY_LOCK))
    names = (flake_imports.FLAKE, "flake.lock", settings.file, nixpy_lock)
    return tuple(name for name in names if (folder / name).is_file())


def uv_settings(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings in files of uv that decide which Pythons it uses.

    These are `python-preference` and `python-downloads`.

    Raises NixpyError for a file that is not TOML.
    """
    found: dict[str, str] = {}
    for file in uv_files(folder, environ):  # the first file with a setting decides
        for key in ("python-preference", "python-downloads"):
            if isinstance(value := file.table.get(key), str):
                found.setdefault(key, value)
    return found
