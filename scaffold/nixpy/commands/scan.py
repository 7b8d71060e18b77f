"""`scan`: the same road as `init`, left before anything is rendered; for anything that names wheels."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from nixpy.analysis.analyse import analyse
from nixpy.analysis.nixpylock import Wheel, wheel_needs
from nixpy.analysis.sources import Sources
from nixpy.commands import plan
from nixpy.core.errors import NixpyError
from nixpy.core.target import LINUX_SYSTEMS, SYSTEMS, Target
from nixpy.diagnostics.problem import Problem
from nixpy.environment.choices import Choices, Options, choose
from nixpy.external.builds import unavailable_problems
from nixpy.libraries.match import Library, answer
from nixpy.locks import formats
from nixpy.locks.model import Choice, Lock, Package, Unavailable, WheelFile
from nixpy.locks.select import select
from nixpy.needs.derive import format_glibc
from nixpy.nixpkgs import releases
from nixpy.project import project

if TYPE_CHECKING:
    from nixpy.locks.requirements import RequirementsFile

# What ends like this is meant as a file; asking an index for a package of that name would be a surprise.
_FILES = frozenset({".in", ".lock", ".nix", ".py", ".toml", ".txt", ".venv", ".whl"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What was found: every wheel with its needs, the libraries that answer them, and what is amiss."""

    python: str
    systems: tuple[str, ...]
    wheels: tuple[Wheel, ...]
    libraries: tuple[Library, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A lock that is nothing but the wheel files somebody named."""

    path: Path
    files: tuple[Package, ...]

    @property
    def requires_python(self) -> SpecifierSet | None:
        """Nothing: the wheels themselves tell."""
        return None

    def packages(self, target: Target, choice: Choice) -> tuple[Package, ...]:  # noqa: ARG002
        """Return every named wheel; which of them fit the target is for selection to say."""
        return self.files


def scan(
    targets: Sequence[str],
    options: Options,
    sources: Sources,
    *,
    deps: bool = True,
) -> Scan:
    """Analyse what `targets` name: one project folder, lock, requirements file or virtual environment, or any number of
    wheel files, or any number of requirements (`numpy==2.5.5`), which uv resolves, without `deps` to just these.

    Raises NixpyError for a target that is none of them, and for kinds that are mixed.
    """
    kinds = {_kind(target) for target in targets}
    if len(kinds) > 1 or (len(targets) > 1 and not kinds & {"wheel", "requirement"}):
        raise NixpyError(
            "these targets cannot be scanned together",
            hint="name one project, lock file or .venv, or several wheel files, or several requirements",
        )
    kind = kinds.pop()
    # Settings of indexes, and a .venv, are those of what is scanned, wherever nixpy was started.
    place = Path(targets[0])
    if kind != "requirement":
        sources = replace(sources, root=place if kind == "project" and place.is_dir() else place.parent)
    if kind == "project":
        return _project(options, sources)
    files = _requirements_files(kind, place)
    lock = _lock(kind, targets)
    if isinstance(lock, Given):
        options = _fitting(lock, options)
    choices = _choices(options)
    if lock is None:
        lock = _resolved(files or [Requirement(target) for target in targets], choices, sources, deps=deps)
        sources = replace(sources, index_urls=tuple(url for file in files for url in file.index_urls))
    if kind == "venv":
        sources = replace(sources, venv=place)
    findings = analyse(lock, choices.targets(), Choice(), sources)
    return _finish(choices, findings.wheels, findings.unavailable)


def _lock(kind: str, targets: Sequence[str]) -> Lock | None:
    """Return the lock that the targets are, or None where uv has to make it first."""
    path = Path(targets[0])
    if kind == "lock":
        return formats.read(path)
    if kind == "wheel":
        return Given(path=path, files=tuple(_given(Path(target)) for target in targets))
    return _installed(path) if kind == "venv" else None


def _requirements_files(kind: str, path: Path) -> list[RequirementsFile]:
    from nixpy.locks import pipfile, requirements

    reader = pipfile if path.name == pipfile.NAME else requirements
    return [reader.read(path, root=path.parent)] if kind == "requirements" else []


def _resolved(
    source: Sequence[RequirementsFile | Requirement], choices: Choices, sources: Sources, *, deps: bool
) -> Lock:
    from nixpy.index.resolve import resolve
    from nixpy.locks.pylock import PyLock

    text = resolve(
        source,
        root=sources.root,
        python=choices.python,
        no_deps=not deps,
        offline=sources.offline,
        allow_build=sources.allow_build,
    )
    return PyLock.parse(text, sources.root / "pylock.toml")


def _installed(path: Path) -> Given:
    """Return the wheels installed in a virtual environment as a lock of just these."""
    from nixpy.wheels.installed import installed_wheels

    files = tuple(
        Package(name=wheel.name, version=str(wheel.version), wheels=(WheelFile(filename=wheel.filename),))
        for wheel in installed_wheels(path).values()
    )
    return Given(path=path, files=files)


def _fitting(lock: Lock, options: Options) -> Options:
    """Return the options with a system and a Python that the wheels are for, where none is asked for."""
    here = _choices(options)
    release = releases.release(here.nixpkgs)
    pythons = (options.python,) if options.python else (here.python, *reversed(list(release.pythons)))
    systems = (options.systems,) if options.systems else (here.systems, *((system,) for system in SYSTEMS))
    candidates = [replace(options, python=python, systems=one) for one in systems for python in pythons]
    return min(candidates, key=lambda one: len(select(lock, _choices(one).targets(), Choice()).unavailable))


def _kind(target: str) -> str:
    path = Path(target)
    if path.is_dir():
        return "venv" if (path / "pyvenv.cfg").is_file() else "project"
    if path.is_file():
        if path.suffix == ".whl":
            return "wheel"
        if path.name == "pyproject.toml":
            return "project"
        if path.suffix == ".py":
            raise NixpyError(
                "scripts are scanned by their lock",
                path=path,
                hint=f"run `uv lock --script {path}`, then scan {path}.lock",
            )
        return "lock" if path.suffix in {".lock", ".toml"} and path.name != "Pipfile.lock" else "requirements"
    if path.suffix in _FILES and "@" not in target:
        raise NixpyError("no such file or folder", path=path, hint="check the path and its spelling")
    try:
        Requirement(target)
    except InvalidRequirement as error:
        raise NixpyError(
            f"`{target}` is neither a file, nor a folder, nor a requirement",
            hint="name a project, a lock file, a wheel, a .venv, or a package such as numpy==2.5.5",
        ) from error
    return "requirement"


def _choices(options: Options) -> Choices:
    nixpkgs = options.nixpkgs or releases.current()
    python, _ = releases.choose_python(options.python, None, None, releases.release(nixpkgs))
    here = f"{platform.machine()}-linux"
    systems = options.systems or ((here,) if here in LINUX_SYSTEMS else ("x86_64-linux",))
    return Choices(style=None, python=python, nixpkgs=nixpkgs, systems=tuple(sorted(systems)))


def _project(options: Options, sources: Sources) -> Scan:
    found = project.read(sources.root)
    made = plan.plan(found, choose(found, options), sources, complete=True)
    return Scan(
        python=made.choices.python,
        systems=made.choices.systems,
        wheels=made.wheels,
        libraries=made.environment.libraries,
        problems=made.problems,
    )


def _given(path: Path) -> Package:
    try:
        name, version, _, _ = parse_wheel_filename(path.name)
    except InvalidWheelFilename as error:
        raise NixpyError(
            "not the name of a wheel", path=path, hint="wheels are called name-1.0-py3-none-any.whl"
        ) from error
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    file = WheelFile(filename=path.name, path=path, sha256=sha256)
    return Package(name=name, version=str(version), wheels=(file,))


def _finish(choices: Choices, wheels: tuple[Wheel, ...], unavailable: tuple[Unavailable, ...]) -> Scan:
    libraries, problems = answer(wheel_needs(wheels), systems=choices.systems)
    return Scan(
        python=choices.python,
        systems=choices.systems,
        wheels=wheels,
        libraries=libraries,
        problems=(*problems, *unavailable_problems(unavailable, choices.python)),
    )


def as_json(scan: Scan) -> dict[str, Any]:
    """Return the report as its JSON, without the format number; `schemas/scan.json` describes it."""
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
                    "dlopen": list(wheel.needs.dlopen),
                    "glibc": format_glibc(wheel.needs.glibc) if wheel.needs.glibc else None,
                    "known": wheel.needs.known,
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
            }
            for library in scan.libraries
        ],
        "problems": [
            {"code": problem.code, "message": problem.message, "package": problem.package} for problem in scan.problems
        ],
    }
