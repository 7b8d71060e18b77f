"""Run `nixpy doctor`: make each observation separately, then run every check."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from nixpy.core import programs
from nixpy.core.errors import ArgumentError, NixpyError
from nixpy.doctor import (
    library_checks,
    nixfiles,
    package_checks,
    project_checks,
    project_folder,
    python_checks,
    setting_checks,
    venv_checks,
)
from nixpy.doctor.facts import Facts, StartedPython, UnreadableFile, Venv
from nixpy.doctor.host import foreign_folders, read_host
from nixpy.doctor.interpreter import outside, packages_in, pythons_on_path, start
from nixpy.doctor.machine_diagnostic import MachineDiagnostic, Skipped
from nixpy.doctor.packages import Packages, read_packages
from nixpy.doctor.venv import Wheels, inspect_wheels, read_venv
from nixpy.needs.model import RuntimeOpen

_T = TypeVar("_T")
_NO_PACKAGES = Packages(installed=(), unreadable=(), recorded={})
_NO_OPENS: Mapping[tuple[str, str], tuple[RuntimeOpen, ...]] = {}
Check = Callable[[Facts], Iterator[MachineDiagnostic]]

# The name of a check, its function, and the facts that it requires.
CHECKS: tuple[tuple[str, Check, tuple[str, ...]], ...] = (
    ("files of the project", project_checks.broken_files, ()),
    ("project or environment", project_checks.nothing_to_examine, ()),
    ("virtual environment", venv_checks.broken_venv, ("venv",)),
    ("folder of the environment", venv_checks.moved_venv, ("venv",)),
    ("Python of the project", venv_checks.other_version, ("project", "venv")),
    ("packages of the lock", python_checks.missing_packages, ("project", "venv")),
    ("Python on PATH", python_checks.other_python, ("pythons", "venv")),
    ("packages given to withPackages", python_checks.applications, ("applied",)),
    ("NIX_LD_LIBRARY_PATH", library_checks.ignored_nix_ld, ("started", "wheels")),
    ("wrapper of the interpreter", python_checks.bypassed_wrapper, ("pythons", "venv")),
    ("interpreter of the environment", python_checks.stale_venv, ("venv",)),
    ("programs of wheels", library_checks.missing_nix_ld, ("host", "wheels")),
    ("LD_LIBRARY_PATH", library_checks.leaked_search_path, ("search_path",)),
    ("libraries of wheels", library_checks.unfound_libraries, ("started", "wheels")),
    ("modules of Python", python_checks.missing_modules, ("started", "venv")),
    ("variables of Python", setting_checks.steering_variables, ()),
    ("UV_PYTHON", setting_checks.uv_python, ()),
    ("uv's own Python", python_checks.foreign_python, ("host", "venv")),
    ("downloads of uv", setting_checks.uv_downloads, ("host", "uv_settings")),
    ("conda", setting_checks.conda, ("pythons", "venv")),
    ("files that git knows", setting_checks.untracked, ("git",)),
    ("environment that git ignores", setting_checks.open_venv, ("git",)),
    ("files of nixpy", setting_checks.stale_files, ("project", "fresh")),
    ("flake.nix and .envrc", setting_checks.unused_files, ("project", "unused")),
    ("git repository", setting_checks.copied_folder, ("project",)),
    ("files of packages", package_checks.damaged_files, ("packages",)),
    ("metadata of packages", package_checks.broken_metadata, ("packages",)),
    ("tags of wheels", package_checks.unfit_wheels, ("host", "packages", "wheels")),
    ("editable packages", package_checks.lost_sources, ("packages",)),
    ("files that cannot be read", package_checks.unreadable_files, ("packages",)),
    ("ELF files that nixpy cannot read", package_checks.unreadable_elf_files, ("packages", "wheels")),
    ("symbol versions", package_checks.missing_versions, ("started", "wheels")),
    ("versions of packages", package_checks.other_versions, ("packages", "wanted")),
    ("driver", library_checks.missing_driver, ("host", "started", "wheels")),
)

# Without one of these facts, doctor does not know whether the project works here. The others, such as the state of git
# and the lists of packages in Nix files, concern only single mistakes. The interpreter is not needed if no installed
# file needs a library.
ESSENTIAL = frozenset({"host", "pythons", "venv", "packages", "started", "wheels", "project", "fresh"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The observed facts, the diagnostics, and the checks that could not run."""

    facts: Facts
    diagnostics: tuple[MachineDiagnostic, ...]
    skipped: tuple[Skipped, ...]

    @property
    def status(self) -> int:
        """The exit status: 1 for errors, 2 if an essential check could not run, else 0."""
        if any(diagnostic.level == "error" for diagnostic in self.diagnostics):
            return 1
        return 2 if any(skipped.essential for skipped in self.skipped) else 0


def examine(root: Path, venv: Path, environ: Mapping[str, str]) -> Report:
    """Return the report for the project in `root` and the environment `venv`.

    Both may be broken.

    Raises NixpyError if the folder does not exist.
    """
    if not root.is_dir():
        raise ArgumentError("no such folder", path=root, hint="Name the folder of a Python project.")
    return judge(_observe(root, venv, environ))


def judge(facts: Facts) -> Report:
    """Return the report of all checks on these facts."""
    diagnostics: list[MachineDiagnostic] = []
    skipped: list[Skipped] = []
    for name, check, needs in CHECKS:
        unread = [need for need in needs if need in facts.unread]
        if unread:
            essential = any(need in ESSENTIAL and (need != "started" or facts.needs_libraries) for need in unread)
            skipped.append(Skipped(check=name, reason=facts.unread[unread[0]], essential=essential))
            continue
        try:
            diagnostics += check(facts)
        except Exception as error:  # noqa: BLE001 - a failed check does not stop the others
            skipped.append(Skipped(check=name, reason=_words(error)))
    return Report(
        facts=facts,
        diagnostics=tuple(sorted(diagnostics, key=lambda diagnostic: (diagnostic.code, diagnostic.message))),
        skipped=tuple(skipped),
    )


class _Observer:
    """Makes each observation separately.

    An exception becomes the reason why its fact is unknown. `errors` are those that name their place.
    """

    def __init__(self) -> None:
        self.unread: dict[str, str] = {}
        self.errors: dict[str, NixpyError] = {}

    def __call__(self, name: str, default: _T, read: Callable[..., _T], *arguments: Any) -> _T:
        try:
            return read(*arguments)
        except Exception as error:  # noqa: BLE001 - this command is for broken machines
            self.unread[name] = _words(error)
            if isinstance(error, NixpyError):
                self.errors[name] = error
            return default


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _observe(root: Path, venv: Path, environ: Mapping[str, str]) -> Facts:
    """Return all observed facts."""
    # Links are not resolved: a .venv that is a link keeps its own name.
    root, venv = Path(os.path.normpath(root.absolute())), Path(os.path.normpath(venv.absolute()))
    see = _Observer()
    host = see("host", None, read_host)
    found = see("venv", None, read_venv, venv)
    started, failure = None, ""
    if found and not found.python.exists:
        see.unread["started"] = f"{found.python.file} does not exist"
    elif found and found.python.broken:
        see.unread["started"] = f"{found.python.file} {found.python.broken}"
    elif found and (python := see("started", None, _python, root, found)):
        started = see("started", None, lambda: start(python, environ, project=root))
        failure = see.unread.get("started", "")
        if started and started.search is None:
            see.unread["started"] = "the loader of this system does not report where it looks for libraries"
    packages = see("packages", _NO_PACKAGES, read_packages, found.folder) if found else _NO_PACKAGES
    wheels = None
    if found and host:
        opens = see("opens", _NO_OPENS, project_folder.recorded_opens, root, host)
        wheels = see("wheels", None, inspect_wheels, found, host, started, environ, packages, opens)
    project = see("project", None, project_folder.observe_project, root, host) if host else None
    fresh = see("fresh", None, project_folder.freshness, root) if project and project.uses_nixpy else None
    uv_settings = see("uv_settings", dict[str, str](), project_folder.uv_settings, root, environ)
    errors = (see.errors[name] for name in ("project", "fresh", "uv_settings") if name in see.errors)
    broken = (project_folder.broken_file(error, root) for error in errors)
    return Facts(
        environ=environ,
        folder=root,
        venv_folder=venv,
        host=host,
        pythons=see("pythons", (), pythons_on_path, environ),
        user_packages=see("user_packages", frozenset(), _user_packages, environ),
        uv=programs.find("uv", environ, project=root) is not None,
        uv_settings=uv_settings,
        venv=found and replace(found, programs=wheels.programs if wheels else ()),
        started=started,
        failure=failure,
        broken_files=tuple({file.path: file for file in broken if file}.values()),
        needs_libraries=wheels is None or any(one.needs.sonames or one.needs.opens for one in wheels.asking),
        elf_files=wheels.elf_files if wheels else 0,
        unfound=wheels.unfound if wheels else (),
        installed=tuple(
            replace(package, unfit=wheels.unfit.get(package.name, "") if wheels else "")
            for package in packages.installed
        ),
        unreadable=_unreadable(packages, wheels),
        unreadable_elf=wheels.unreadable_elf if wheels else {},
        versions=wheels.versions if wheels else (),
        recorded=see("recorded", {}, project_folder.recorded_versions, root, host, _version(found, started))
        if host and project and project.uses_nixpy and fresh is None
        else {},
        wanted=see("wanted", {}, project_folder.wanted_versions, root, host, _version(found, started)) if host else {},
        importing=see("importing", {}, project_folder.importing, root, started, found.packages)
        if started and found
        else {},
        suppliers=see("wheels", {}, project_folder.suppliers, root, wheels.asking) if host and wheels else {},
        rendered=see("rendered", frozenset(), project_folder.rendered_sonames, root),
        project=project,
        fresh=fresh,
        unused=see("unused", (), project_folder.unused, root) if project and project.uses_nixpy else (),
        git=see("git", None, project_folder.git, root, venv),
        applied=see("applied", (), nixfiles.applied, root),
        search_path=see("search_path", {}, foreign_folders, environ),
        unread=see.unread,
    )


def _unreadable(packages: Packages, wheels: Wheels | None) -> tuple[UnreadableFile, ...]:
    """Return the files that cannot be read, each once."""
    found = {one.path: one for one in (*packages.unreadable, *(wheels.unreadable if wheels else ()))}
    return tuple(found[path] for path in sorted(found))


def _version(venv: Venv | None, started: StartedPython | None) -> str | None:
    """Return the Python version of an environment."""
    if started:
        return started.version
    return f"{venv.versions[0].rstrip('t')}.0" if venv and len(venv.versions) == 1 else None


def _python(root: Path, venv: Venv) -> Path:
    """Return the Python that an environment links to.

    Raises ValueError, with the reason, for one in the project or in the environment, which nixpy does not start.
    """
    inside = (programs.checkout(root), programs.checkout(venv.folder), venv.folder.resolve())
    return outside(venv.python.path, venv.home, inside)


def _user_packages(environ: Mapping[str, str]) -> frozenset[str]:
    home = environ.get("HOME")
    return packages_in(Path(home).glob(".local/lib/python3*/site-packages")) if home else frozenset()
