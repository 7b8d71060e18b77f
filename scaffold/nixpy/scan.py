"""`scan`: the same road as `init`, left before anything is rendered; for anything that names wheels."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from nixpy import locks, plan, project, releases
from nixpy.analyse import Sources, analyse, needs_of_wheels
from nixpy.environment import wheel_needs
from nixpy.errors import NixpyError
from nixpy.libraries.answer import Library, Rules, answer
from nixpy.lockfile import Wheel
from nixpy.locks.model import Choice, Lock, LockedWheel, Package, Unavailable, WheelFile
from nixpy.needs.derive import format_glibc
from nixpy.problems import Problem
from nixpy.target import LINUX_SYSTEMS, Target


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

    def packages(self, target: Target, choice: Choice) -> tuple[Package, ...]:  # noqa: ARG002
        """Return every named wheel; which of them fit the target is for selection to say."""
        return self.files


def scan(
    targets: Sequence[str],
    options: plan.Options,
    sources: Sources,
    *,
    deps: bool = True,
    rules: Rules | None = None,
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
    if kind == "project":
        return _project(Path(targets[0]), options, sources)
    choices = _choices(options)
    if kind == "venv":
        return _finish(choices, _venv(Path(targets[0]), choices, sources), (), rules)
    lock: Lock
    if kind == "wheel":
        lock = Given(path=Path(targets[0]), files=tuple(_given(Path(target)) for target in targets))
    elif kind == "lock":
        lock = locks.read(Path(targets[0]))
    else:
        lock = _resolved(kind, targets, choices, sources, deps=deps)
    findings = analyse(lock, choices.targets(), Choice(), sources)
    return _finish(choices, findings.wheels, findings.unavailable, rules)


def _resolved(kind: str, targets: Sequence[str], choices: plan.Choices, sources: Sources, *, deps: bool) -> Lock:
    from nixpy.locks import requirements
    from nixpy.locks.pylock import PyLock
    from nixpy.resolve import resolve

    source: list[requirements.RequirementsFile | Requirement]
    if kind == "requirements":
        source = [requirements.read(Path(targets[0]), root=sources.root)]
    else:
        source = [Requirement(target) for target in targets]
    text = resolve(
        source,
        root=sources.root,
        python=choices.python,
        no_deps=not deps,
        offline=sources.offline,
        allow_build=sources.allow_build,
    )
    return PyLock.parse(text, sources.root / "pylock.toml")


def _venv(path: Path, choices: plan.Choices, sources: Sources) -> tuple[Wheel, ...]:
    """Return the wheels installed in a virtual environment, each with what its files need."""
    from nixpy.wheels.installed import installed_wheels

    system = choices.systems[0]
    locked = [
        LockedWheel(
            system=system,
            name=wheel.name,
            version=str(wheel.version),
            file=WheelFile(filename=wheel.filename),
        )
        for wheel in installed_wheels(path).values()
    ]
    return needs_of_wheels(locked, choices.targets(), replace(sources, venv=path))


def _kind(target: str) -> str:
    path = Path(target)
    if path.is_dir():
        return "venv" if (path / "pyvenv.cfg").is_file() else "project"
    if path.is_file():
        if path.suffix == ".whl":
            return "wheel"
        if path.name == "pyproject.toml":
            return "project"
        return "lock" if path.suffix in {".lock", ".toml"} else "requirements"
    try:
        Requirement(target)
    except InvalidRequirement as error:
        raise NixpyError(
            f"`{target}` is neither a file, nor a folder, nor a requirement",
            hint="name a project, a lock file, a wheel, a .venv, or a package such as numpy==2.5.5",
        ) from error
    return "requirement"


def _choices(options: plan.Options) -> plan.Choices:
    nixpkgs = options.nixpkgs or releases.current()
    python, _ = releases.choose_python(options.python, None, None, releases.release(nixpkgs))
    here = f"{platform.machine()}-linux"
    systems = options.systems or ((here,) if here in LINUX_SYSTEMS else ("x86_64-linux",))
    return plan.Choices(style=None, python=python, nixpkgs=nixpkgs, systems=tuple(sorted(systems)))


def _project(path: Path, options: plan.Options, sources: Sources) -> Scan:
    found = project.read(path if path.is_dir() else path.parent)
    made = plan.plan(found, plan.choose(found, options), sources, complete=True)
    return Scan(
        python=made.choices.python,
        systems=made.choices.systems,
        wheels=made.wheels,
        libraries=made.environment.libraries,
        problems=made.problems,
    )


def _given(path: Path) -> Package:
    import hashlib

    try:
        name, version, _, _ = parse_wheel_filename(path.name)
    except InvalidWheelFilename as error:
        raise NixpyError(
            "not the name of a wheel", path=path, hint="wheels are called name-1.0-py3-none-any.whl"
        ) from error
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    file = WheelFile(filename=path.name, path=path, sha256=sha256, size=path.stat().st_size)
    return Package(name=name, version=str(version), wheels=(file,))


def _finish(
    choices: plan.Choices, wheels: tuple[Wheel, ...], unavailable: tuple[Unavailable, ...], rules: Rules | None
) -> Scan:
    from nixpy.environment import unavailable_problems

    libraries, problems = answer(wheel_needs(wheels), rules, choices.systems)
    return Scan(
        python=choices.python,
        systems=choices.systems,
        wheels=wheels,
        libraries=libraries,
        problems=(*problems, *unavailable_problems(unavailable)),
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
