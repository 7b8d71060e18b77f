"""Run `scan`: an analysis without generated files.

It accepts everything that names wheels.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidWheelFilename

from nixpy.analysis.analyse import Analysis, analyse
from nixpy.analysis.analysis_options import AnalysisOptions
from nixpy.analysis.nixpylock import Wheel, on_linux, wheel_needs
from nixpy.commands import plan
from nixpy.core import limits
from nixpy.core.errors import ArgumentError
from nixpy.core.target import LINUX_SYSTEMS, SYSTEMS, Target, this_system
from nixpy.core.urls import shown_text
from nixpy.core.wheel_name import parse_wheel_filename
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.environment import run_time
from nixpy.environment.options import Options, ResolvedOptions, resolve_options
from nixpy.external.builds import unavailable_diagnostics
from nixpy.libraries.match import Library, match, of_dependency
from nixpy.libraries.notes import notes
from nixpy.locks import formats
from nixpy.locks.model import ExtrasAndGroups, Lock, LockDefaults, Package, WheelFile
from nixpy.locks.select import select
from nixpy.needs.derive import format_glibc
from nixpy.nixpkgs import releases
from nixpy.project import project

if TYPE_CHECKING:
    from nixpy.locks.requirements import RequirementsFile

# A target with such an ending is a file; looking it up as a package on an index would be a surprise.
_FILES = frozenset({".in", ".lock", ".nix", ".toml", ".txt", ".venv", ".whl"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The result of a scan: wheels with needs, libraries, and diagnostics."""

    python: str
    systems: tuple[str, ...]
    wheels: tuple[Wheel, ...]
    libraries: tuple[Library, ...]
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _WheelList(LockDefaults):
    """A lock of the wheel files that the command line names."""

    path: Path
    files: tuple[Package, ...]

    @property
    def requires_python(self) -> SpecifierSet | None:
        """None: the wheels themselves state it."""
        return None

    def packages(self, target: Target, extras_and_groups: ExtrasAndGroups) -> tuple[Package, ...]:  # noqa: ARG002
        """Return every named wheel; `select` finds those that fit the target."""
        return self.files


def scan(
    targets: Sequence[str],
    options: Options,
    analysis_options: AnalysisOptions,
    *,
    deps: bool = True,
) -> Scan:
    """Analyse the wheels of `targets`.

    The targets are one project folder, lock, requirements file or virtual environment, or any number of wheel files, or
    any number of requirements (`numpy==2.5.5`), which uv resolves; with `deps`, also their dependencies.

    Raises NixpyError for any other target, and for mixed kinds.
    """
    if not targets or "" in targets:
        raise ArgumentError("no target to scan", hint="Name a project, a lock file, a .venv, wheels or requirements.")
    kinds = {_kind(target) for target in targets}
    if len(kinds) > 1 or (len(targets) > 1 and not kinds & {"wheel", "requirement"}):
        raise ArgumentError(
            "these targets cannot be scanned together",
            hint="Name one project, lock file or .venv, or several wheel files, or several requirements.",
        )
    kind = kinds.pop()
    # The settings of indexes, and the .venv, are those of the scanned project, in whatever folder nixpy was started.
    place = Path(targets[0])
    if kind != "requirement":
        analysis_options = replace(
            analysis_options, root=place if kind == "project" and place.is_dir() else place.parent
        )
    if kind == "project":
        return _project(options, analysis_options)
    files = _requirements_files(kind, place)
    lock = _lock(kind, targets)
    if isinstance(lock, _WheelList):
        options = _fitting(lock, options)
    resolved = _resolve_options(options)
    reported: tuple[Diagnostic, ...] = ()
    if lock is None:
        lock = _resolve_with_uv(
            files or [Requirement(target) for target in targets], resolved, analysis_options, deps=deps
        )
        reported = _uv_diagnostics(analysis_options.root)
        analysis_options = replace(analysis_options, index_urls=tuple(url for file in files for url in file.index_urls))
    if kind == "venv":
        analysis_options = replace(analysis_options, venv=place)
    analysis = analyse(lock, resolved.targets(), ExtrasAndGroups(), analysis_options)
    found = _finish(resolved, analysis, reported)
    if kind == "wheel":
        return _alone(found, "scan the wheel of that package together with this one")
    return found if deps else _alone(found, "scan without --no-deps to see")


def _alone(found: Scan, how: str) -> Scan:
    """Return a scan of packages without their dependencies.

    One of these may contain a library that nixpy does not know.
    """
    return replace(found, diagnostics=tuple(of_dependency(one, how) for one in found.diagnostics))


def _lock(kind: str, targets: Sequence[str]) -> Lock | None:
    """Return the lock of the targets, or None if uv must first resolve them."""
    path = Path(targets[0])
    if kind == "lock":
        return formats.read(path)
    if kind == "wheel":
        return _WheelList(path=path, files=tuple(_given(Path(target)) for target in targets))
    return _installed(path) if kind == "venv" else None


def _requirements_files(kind: str, path: Path) -> list[RequirementsFile]:
    return [formats.read_requirements(path, path.parent, named=True)] if kind == "requirements" else []


def _resolve_with_uv(
    source: Sequence[RequirementsFile | Requirement],
    resolved: ResolvedOptions,
    analysis_options: AnalysisOptions,
    *,
    deps: bool,
) -> Lock:
    from nixpy.index.resolve import BuildNeededError, resolve
    from nixpy.locks.pylock import PyLock

    try:
        text = resolve(
            source,
            root=analysis_options.root,
            python=resolved.python,
            targets=resolved.targets(),
            no_deps=not deps,
            offline=analysis_options.offline,
            allow_build=analysis_options.allow_build,
            merge_indexes=not any(isinstance(one, Requirement) for one in source),  # requirements files are for pip
        )
    except BuildNeededError as error:
        if not deps:
            raise
        options = " ".join(f"--allow-build-of {name}" for name in error.packages) or "--allow-build"
        hint = f"Allow it with `{options}`, which runs their code, or leave out their requirements with --no-deps."
        raise BuildNeededError(error.message, hint=hint, packages=error.packages) from None
    return PyLock.parse(text, analysis_options.root / "pylock.toml")


def _uv_diagnostics(root: Path) -> tuple[Diagnostic, ...]:
    from nixpy.index.uv_config import uv_diagnostics

    return tuple(uv_diagnostics(root, of_user=True))


def _installed(path: Path) -> _WheelList:
    """Return a lock of the wheels that are installed in a virtual environment."""
    from nixpy.wheels.installed import installed_wheels

    files = tuple(
        Package(name=wheel.name, version=str(wheel.version), wheels=(WheelFile(filename=wheel.filename),))
        for wheel in installed_wheels(path).values()
    )
    return _WheelList(path=path, files=files)


def _fitting(lock: Lock, options: Options) -> Options:
    """Return the options with a system and a Python that fit the wheels.

    Options that the user sets stay.
    """
    here = _resolve_options(options)
    release = releases.release(here.nixpkgs)
    pythons = (options.python,) if options.python else (here.python, *reversed(list(release.pythons)))
    systems = (options.systems,) if options.systems else (here.systems, *((system,) for system in SYSTEMS))
    candidates = [replace(options, python=python, systems=one) for one in systems for python in pythons]
    return min(
        candidates, key=lambda one: len(select(lock, _resolve_options(one).targets(), ExtrasAndGroups()).unavailable)
    )


def _kind(target: str) -> str:
    limits.check_argument(target)
    path = Path(target)
    if any(len(os.fsencode(part)) > limits.NAME for part in path.parts):  # no file has such a name
        return _as_requirement(target)
    if path.is_dir():
        return "venv" if (path / "pyvenv.cfg").is_file() else "project"
    if path.is_file():
        if path.suffix == ".whl":
            return "wheel"
        if path.name == "pyproject.toml":
            return "project"
        if path.suffix == ".py":
            raise ArgumentError(
                "nixpy scans a script by its lock file",
                path=path,
                hint=f"Run `uv lock --script {path}`, then scan {path}.lock.",
            )
        if lock_format := formats.format_of(path):
            return "requirements" if lock_format.pins_only else "lock"
        return "lock" if path.suffix in {".lock", ".toml"} else "requirements"
    if path.is_fifo() or path.is_char_device():
        return "requirements"  # such as the FIFO of `<(uv export)`
    if path.suffix in _FILES and "@" not in target:
        raise ArgumentError("no such file or folder", path=path, hint="Check the path and its spelling.")
    return _as_requirement(target)


def _as_requirement(target: str) -> str:
    """Return the kind of a target that is a requirement.

    Raises NixpyError if it is invalid.
    """
    try:
        Requirement(target)
    except InvalidRequirement as error:
        raise ArgumentError(
            f"`{shown_text(target)}` is neither a file, nor a folder, nor a requirement",
            hint="Name a project, a lock file, a wheel, a .venv, or a package such as numpy==2.5.5.",
        ) from error
    return "requirement"


def _resolve_options(options: Options) -> ResolvedOptions:
    nixpkgs = options.nixpkgs or releases.current()
    python, _ = releases.choose_python(options.python, None, None, releases.release(nixpkgs))
    here = this_system()
    systems = options.systems or ((here,) if here in LINUX_SYSTEMS else ("x86_64-linux",))
    return ResolvedOptions(style=None, python=python, nixpkgs=nixpkgs, systems=tuple(sorted(systems)))


def _project(options: Options, analysis_options: AnalysisOptions) -> Scan:
    found = project.read(analysis_options.root)
    made = plan.plan(found, resolve_options(found, options), analysis_options, complete=True)
    return Scan(
        python=made.resolved.python,
        systems=made.resolved.systems,
        wheels=made.wheels,
        libraries=made.environment.libraries,
        diagnostics=made.diagnostics,
    )


def _given(path: Path) -> Package:
    try:
        name, version, _, _ = parse_wheel_filename(path.name)
    except InvalidWheelFilename as error:
        raise ArgumentError(
            "this is not the name of a wheel", path=path, hint="Name a file such as name-1.0-py3-none-any.whl."
        ) from error
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    file = WheelFile(filename=path.name, path=path, sha256=sha256)
    return Package(name=name, version=str(version), wheels=(file,))


def _finish(
    resolved: ResolvedOptions,
    analysis: Analysis,
    reported: tuple[Diagnostic, ...],
) -> Scan:
    libraries, diagnostics = match(wheel_needs(analysis.wheels, analysis.unavailable), systems=resolved.systems)
    names = on_linux(analysis.wheels, analysis.unavailable)
    return Scan(
        python=resolved.python,
        systems=resolved.systems,
        wheels=analysis.wheels,
        libraries=libraries,
        diagnostics=(
            *reported,
            *diagnostics,
            *notes(libraries, names),
            *unavailable_diagnostics(analysis.unavailable, resolved.python),
            *run_time.diagnostics(analysis.names, ()),
        ),
    )


def as_json(scan: Scan) -> dict[str, Any]:
    """Return the report as JSON data, without the format number.

    `schemas/scan.json` describes it.
    """
    opened: dict[tuple[str, str], set[str]] = defaultdict(set)
    for library in scan.libraries:
        for one in library.evidence:
            for system in library.systems if one.opened else ():
                opened[system, one.package].add(library.soname)
    return {
        "python": scan.python,
        "systems": list(scan.systems),
        "wheels": [
            {
                "system": wheel.system,
                "name": wheel.name,
                "version": wheel.version,
                "filename": wheel.filename,
                "sha256": wheel.sha256,
                "needs": {
                    "sonames": [soname for soname, _ in wheel.needs.sonames],
                    "optional": list(wheel.needs.optional),
                    "executables": list(wheel.needs.executables),
                    "dlopen": sorted(opened[wheel.system, wheel.name]),
                    "glibc": format_glibc(wheel.needs.glibc) if wheel.needs.glibc else None,
                    "known": wheel.needs.known,
                    "unreadable": list(wheel.needs.unreadable),
                },
            }
            for wheel in scan.wheels
        ],
        "libraries": [
            {
                "soname": library.soname,
                "provider": library.provider,
                "attribute": library.attribute,
                "expression": library.expression,
                "needed_by": list(library.needed_by),
                "optional": library.optional,
                "systems": list(library.systems),
                "evidence": evidence_data(library),
            }
            for library in scan.libraries
        ],
        "problems": [
            {"code": diagnostic.code, "message": diagnostic.message, "package": diagnostic.package}
            for diagnostic in scan.diagnostics
        ],
    }


def evidence_data(library: Library) -> list[dict[str, Any]]:
    """Return how it is known that packages need a library, as JSON data.

    Calls in one line that try different names are one item.
    """
    keys = ("kind", "certainty", "package", "path", "line")
    items = dict.fromkeys(tuple(getattr(one, key) for key in keys) for one in library.evidence)
    return [dict(zip(keys, item, strict=True)) for item in items]
