"""What a project's files should be, and whether they are: the one road behind `init`, `sync` and `check`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nixpy.analysis import nixpylock as lockfile
from nixpy.analysis.analyse import Findings, analyse
from nixpy.analysis.nixpylock import Record, Wheel
from nixpy.analysis.sources import Sources
from nixpy.core.errors import NixpyError
from nixpy.diagnostics.problem import Problem, reason
from nixpy.environment import lang2nix as builders
from nixpy.environment.assemble import environment_of
from nixpy.environment.choices import Choices
from nixpy.environment.model import Environment
from nixpy.files import envrc, flake_imports, render
from nixpy.files.reconcile import Output
from nixpy.locks.formats import of_uv
from nixpy.locks.model import Choice, Lock
from nixpy.needs.dlopen import curated
from nixpy.project import flake
from nixpy.project.project import Project
from nixpy.styles import styles


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The files a project should have, and the wheels that they are for."""

    project: Project
    choices: Choices
    environment: Environment
    record: Record
    wheels: tuple[Wheel, ...]
    outputs: tuple[Output, ...]
    problems: tuple[Problem, ...] = ()
    entry: Path | None = None  # flake.nix or shell.nix, once `with_user_files` was asked
    lines: str | None = None  # to be added to it where it is the user's already


def plan(project: Project, choices: Choices, sources: Sources, *, complete: bool = False) -> Plan:
    """Return what the project's generated files should be, its wheels analysed and a style recommended if none is set.

    With `complete`, `wheels` are sure to be all it installs, also those nixpy.lock leaves out.
    """
    before = recorded(project)
    inputs = lockfile.digest(project.canonical(choices.targets()))
    findings = _findings(project, choices, sources, None if complete else before, inputs)
    record = findings.record(
        python=choices.python,
        release=choices.release,
        inputs=inputs,
        systems=choices.systems,
        complete=choices.all_wheels,
    )
    if choices.style is None:
        programs = {wheel.name for wheel in record.wheels if wheel.needs.executables}
        style, why = styles.recommend(programs, choices.systems)
        choices = replace(choices, style=style.name, reasons={**choices.reasons, "style": why})
    env = environment_of(project, choices, record)
    return Plan(
        project=project,
        choices=choices,
        environment=env,
        record=record,
        wheels=findings.wheels,
        outputs=outputs(project, env, record),
        problems=(
            *outdated(project, choices),
            *flake.other_nixpkgs(project.root, choices.nixpkgs),
            *flake_imports.left_behind(project.root, project.settings.file),
            *noticed(project, choices),
            *env.problems,
        ),
    )


def _findings(project: Project, choices: Choices, sources: Sources, before: Record | None, inputs: str) -> Findings:
    if before and not project.lock and not sources.rescan and not sources.upgrade:
        same = (before.inputs, before.python, before.release, before.systems) == (
            inputs,
            choices.python,
            choices.release,
            choices.systems,
        ) and (before.installable or not choices.all_wheels)
        if same and not any(wheel.guessed for wheel in before.wheels):
            # Nothing was asked anew: uv is not either, and what it once chose stays.
            return Findings(wheels=before.wheels, unavailable=before.unavailable)
    lock = _lock_of(project, choices, before, sources)
    known = before.wheels if before else ()
    # Their markers hold for this Python, and count the extras that are asked for.
    if before and (before.python, before.inputs) != (choices.python, inputs):
        known = tuple(replace(wheel, requires=None) for wheel in known)
    urls = tuple(url for file in project.requirements_files for url in file.index_urls)
    lacking = before.unavailable if before else ()
    sources = replace(
        sources,
        known=known,
        lacking=lacking,
        metadata=choices.all_wheels,
        asked=project.asked(choices.targets()) if project.tells_extras else None,
        index_urls=urls,
    )
    # What uv resolved has the chosen extras and groups in it, and does not know them by name.
    choice = project.choice if project.locked else Choice()
    return analyse(lock, choices.targets(), choice, sources)


def _lock_of(project: Project, choices: Choices, before: Record | None, sources: Sources) -> Lock:
    """Return the project's lock, or what uv resolves where there is none; recorded pins are kept where they fit."""
    if project.locked:
        return project.locked
    from nixpy.index.resolve import resolve
    from nixpy.locks.pylock import PyLock

    pins: dict[str, str] = (
        {wheel.name: wheel.version for wheel in before.wheels} if before and not sources.upgrade else {}
    )
    source = project.requirements_files or project.dependencies
    assert source is not None  # noqa: S101  (project.read saw to it)
    text = resolve(
        source,
        root=project.root,
        python=choices.python,
        choice=project.choice,
        preferences=pins,
        offline=sources.offline,
        allow_build=sources.allow_build,
    )
    return PyLock.parse(text, project.source)


def outdated(project: Project, choices: Choices) -> Iterator[Problem]:
    """Yield a problem where the lock was made for other dependencies than pyproject.toml has now."""
    if project.locked is None:
        return
    lock, now = of_uv(project.locked), project.dependencies
    if lock is None:
        yield from _changed_since(project.locked)
        return
    if now is None or not now.complete:
        return
    wanted = now.select(project.choice.extras, project.choice.groups)
    names = {name for target in choices.targets() for name in lock.differences(wanted, target, project.choice) or ()}
    if names:
        yield Problem(
            code="NIX202",
            package=min(names),
            message=f"{lock.path.name} is behind pyproject.toml, which asks otherwise for {reason(sorted(names))}",
            hint="run `uv lock`, then `nixpy sync`",
        )


def _changed_since(lock: Lock) -> Iterator[Problem]:
    from nixpy.locks.pdm import PdmLock
    from nixpy.locks.poetry import PoetryLock

    if isinstance(lock, PoetryLock | PdmLock) and lock.fresh() is False:
        tool = lock.path.name.partition(".")[0]
        yield Problem(
            code="NIX202",
            message=f"{lock.path.name} is behind pyproject.toml, which changed since",
            hint=f"run `{tool} lock`, then `nixpy sync`",
        )


def noticed(project: Project, choices: Choices) -> Iterator[Problem]:
    """Yield what is amiss with the user's own files, as far as that is known without the wheels."""
    yield from envrc.unwatched(project)
    if choices.style is not None:
        style = styles.find(choices.style)
        yield from flake.lacking(project.root, style)
        yield from builders.problems(project, style, choices.targets())


def outputs(project: Project, env: Environment, record: Record) -> tuple[Output, ...]:
    """Return the two generated files."""
    return (
        Output(path=project.record, text=lockfile.dumps(record)),
        Output(path=project.rendered, text=render.render("nixpy.nix.jinja", env.as_dict())),
    )


def recorded(project: Project) -> Record | None:
    """Return what nixpy.lock says, or None where it says nothing that can be relied on.

    What is known without opening a wheel, the names it opens at run time, is as nixpy knows it today.
    """
    try:
        record = lockfile.loads(project.record.read_text("utf-8"), project.record)
    except (OSError, UnicodeDecodeError, lockfile.Damaged, lockfile.Newer, NixpyError):
        return None
    return replace(record, wheels=tuple(_opened(wheel) for wheel in record.wheels))


def _opened(wheel: Wheel) -> Wheel:
    opened = tuple(name for name in curated(wheel.name).sonames if name not in wheel.needs.provides)
    return replace(wheel, needs=replace(wheel.needs, dlopen=opened))
