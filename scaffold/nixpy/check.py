"""Whether a project's Nix files still match it: regenerated from what was recorded, and compared.

Needs neither network nor Nix, opens no wheel and starts no program.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nixpy import flake, lockfile
from nixpy.analyse import Sources
from nixpy.generated import STATUS, Comparison, State, own_state, reconcile
from nixpy.lockfile import Record
from nixpy.locks.model import LockedWheel
from nixpy.locks.select import select
from nixpy.needs.dlopen import curated
from nixpy.plan import Choices, choose, environment_of, noticed, outdated, outputs, plan, recorded
from nixpy.problems import Problem
from nixpy.project import Project

if TYPE_CHECKING:
    from nixpy.wheels.facts import Progress

# What is told when several hold, the most serious first.
_GRAVITY = (State.NEWER, State.FOREIGN, State.MISSING, State.EDITED, State.STALE, State.FRESH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a project's files stand: the gravest state of all, each file's own, and why, in words."""

    state: State
    files: tuple[Comparison, ...]
    reasons: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def status(self) -> int:
        """The exit status this means."""
        return STATUS[self.state]


def check(project: Project) -> Verdict:
    """Return how the project's generated files stand against what its recorded facts render to now.

    A file that is right is stale all the same where the project asks otherwise than when it was recorded. Where
    nothing was recorded, or no style is set, each file is judged by itself.
    """
    record = recorded(project)
    choices = choose(project)
    if record is None or choices.style is None:
        files = tuple(_by_itself(path) for path in (project.record, project.rendered))
        return _verdict(files, [] if record is None else ["the settings name no style"])
    changes = [*_asked(project, choices, record), *_chosen(choices, record), *_installed(project, choices, record)]
    changes += [f"{one.message}; {one.hint}" for one in flake.left_behind(project.root, project.settings.file)]
    env = environment_of(project, choices, record)
    files = reconcile(outputs(project, env, record), write=False)
    if changes:
        files = tuple(replace(file, state=State.STALE) if file.state is State.FRESH else file for file in files)
    elif any(file.state is State.STALE for file in files):
        changes.append("the settings, or nixpy itself, changed since the files were written")
    return replace(_verdict(files, changes), problems=(*noticed(project, choices), *env.problems))


def rescan(project: Project, progress: Progress | None = None) -> Verdict:
    """Return how the files stand against what every wheel says now, opened again, over the network where need be."""
    choices = choose(project)
    if choices.style is None:
        return check(project)
    made = plan(project, choices, Sources(root=project.root, rescan=True, progress=progress))
    files = reconcile(made.outputs, write=False)
    stale = any(file.state is State.STALE for file in files)
    # The wheels are only to blame where all else is as it was.
    reasons = check(project).reasons or (("what the wheels need differs from what was recorded",) if stale else ())
    return replace(_verdict(files, reasons), problems=made.environment.problems)


def _verdict(files: tuple[Comparison, ...], reasons: Iterable[str]) -> Verdict:
    states = {file.state for file in files}
    return Verdict(state=next(state for state in _GRAVITY if state in states), files=files, reasons=tuple(reasons))


def _by_itself(path: Path) -> Comparison:
    return Comparison(path=path, state=own_state(path) or State.STALE)


def _asked(project: Project, choices: Choices, record: Record) -> Iterable[str]:
    if lockfile.digest(project.canonical(choices.targets())) != record.inputs:
        where = project.dependencies.path if project.dependencies else project.source
        yield f"what {where.name} asks for changed since nixpy.lock was written"
    for problem in outdated(project, choices):
        yield f"{problem.message}; {problem.hint}"


def _chosen(choices: Choices, record: Record) -> Iterable[str]:
    if choices.python != record.python:
        yield f"Python {choices.python} is chosen now, {record.python} was analysed"
    if choices.release != record.release:
        yield f"{choices.release} is chosen now, {record.release} was analysed"
    if choices.all_wheels and not record.complete:
        yield f"style {choices.style} installs pure Python wheels too, which nixpy.lock does not name"
    for system in sorted(set(choices.systems) - set(record.systems)):
        yield f"{system} was not analysed"
    for system in sorted(set(record.systems) - set(choices.systems)):
        yield f"{system} is not asked for any more"


def _installed(project: Project, choices: Choices, record: Record) -> Iterable[str]:
    """Yield how the wheels that the lock file selects differ from the recorded ones."""
    if project.locked is None:
        return
    known = {wheel.identity for wheel in record.wheels}
    selection = select(project.locked, choices.targets(), project.choice)
    now = {wheel.identity: wheel for wheel in selection.wheels}
    lock = project.locked.path.name
    came: dict[str, str] = {}
    for key, wheel in now.items():
        if key not in known and (record.complete or _matters(wheel)):
            came.setdefault(wheel.name, f"{lock} installs {wheel.name} {wheel.version}, which was not analysed")
    yield from came.values()
    names = {wheel.name for wheel in selection.wheels}
    for name in sorted({wheel.name for wheel in record.wheels if wheel.identity not in now}):
        if name not in names:
            yield f"{lock} does not install {name} any more"
        elif name not in came:
            yield f"{lock} installs another {name} than the one that was analysed"
    if set(selection.unavailable) != set(record.unavailable):
        yield f"{lock} lacks wheels for other packages than before"


def _matters(wheel: LockedWheel) -> bool:
    return not wheel.file.filename.endswith("-any.whl") or bool(curated(wheel.name).sonames)
