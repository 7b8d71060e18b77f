"""Check whether the Nix files of a project are up to date.

nixpy generates them again from nixpy.lock, and compares.

A check needs neither network nor Nix, opens no wheel and starts no program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nixpy.analysis import nixpylock
from nixpy.analysis.analysis_options import AnalysisOptions
from nixpy.analysis.nixpylock import NixpyLock
from nixpy.commands.imported import differences, imported, unread
from nixpy.commands.plan import file_diagnostics, lists_all, lock_changes, outputs, plan, read_nixpy_lock
from nixpy.core.errors import NixpyError, OutputError
from nixpy.core.fault import as_error
from nixpy.diagnostics.diagnostic import Diagnostic, counted, shorten, with_hint
from nixpy.environment import lang2nix
from nixpy.environment.assemble import environment_of
from nixpy.environment.options import ResolvedOptions, resolve_options
from nixpy.files import flake_imports, library_input
from nixpy.files.reconcile import STATUS, Comparison, Remedy, State, own_state, reconcile, remedy
from nixpy.locks.model import Locked, LockedWheel, Unavailable
from nixpy.locks.select import select
from nixpy.needs.dlopen import curated
from nixpy.project.own_imports import OwnImports
from nixpy.project.project import Project, read
from nixpy.project.setup_files import SETUP_CFG, SETUP_PY

if TYPE_CHECKING:
    from nixpy.wheels.gather import Progress

# The most serious state first: it is the state of the project.
_GRAVITY = (
    State.NEWER,
    State.FOREIGN,
    State.MISSING,
    State.EDITED,
    State.CONFLICT,
    State.STALE,
    State.OLDER,
    State.FRESH,
)
_WORDS = {
    State.FRESH: "up to date",
    State.OLDER: "older library",
    State.STALE: "out of date",
    State.EDITED: "edited",
    State.CONFLICT: "in a merge conflict",
    State.MISSING: "not generated",
    State.FOREIGN: "foreign",
    State.NEWER: "from a newer nixpy",
}
_CODE = {State.FRESH: None, State.FOREIGN: OutputError.code, State.NEWER: OutputError.code}  # of the others: NIX416


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason why files are out of date.

    `path` is the file, and `package` or `setting` the text in it. `hint` is the remedy, if `nixpy sync` alone is none.
    """

    message: str
    path: Path | None = None
    package: str | None = None
    setting: str | None = None
    hint: str | None = None

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The result of a check: the worst state, each file, and the reasons."""

    state: State
    files: tuple[Comparison, ...]
    reasons: tuple[Reason, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    settled: bool = False  # the settings name a style, so `nixpy sync` writes missing files

    @property
    def status(self) -> int:
        """The exit status of `nixpy check`.

        It is 0 for up to date, 1 for out of date or edited, and 2 for a file that this nixpy did not write.
        """
        return STATUS[self.state]

    @property
    def strict_status(self) -> int:
        """The exit status of `nixpy check --strict`.

        It also fails for the library text of another nixpy.
        """
        return 1 if self.state is State.OLDER else self.status

    @property
    def cure(self) -> Remedy:
        """The remedy as words and as a command."""
        hint = next((reason.hint for reason in self.reasons if reason.hint), None)
        if hint and self.state is State.STALE:
            return Remedy(f"{hint[:1].lower()}{hint[1:].removesuffix('.')}")
        return remedy(self.state, settled=self.settled)

    @property
    def remedy(self) -> str:
        """The remedy; empty if all files are up to date."""
        return self.cure.words

    @property
    def code(self) -> str | None:
        """The code of the state, or None if the files are up to date."""
        return _CODE.get(self.state, "NIX416")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of the check of one folder: a project with its verdict, or an error."""

    folder: Path
    project: Project | None = None
    verdict: Verdict | None = None
    error: NixpyError | None = None

    @property
    def status(self) -> int:
        """The exit status of the check."""
        return self.verdict.status if self.verdict else 2


def in_words(state: State) -> str:
    """Return a state in words for text output; JSON has its value."""
    return _WORDS[state]


def outcome(folder: Path, judge: Callable[[Project], Verdict]) -> Outcome:
    """Return the verdict on the project in `folder`, or its error.

    `judge` is `check` or `rescan`.

    Every exception is such an error, so that the projects after this one are checked, too.
    """
    try:
        project = read(folder)
        return Outcome(folder=folder, project=project, verdict=judge(project))
    except BrokenPipeError:  # the reader of the progress closed the pipe, which is not an error of the project
        raise
    except Exception as error:  # noqa: BLE001
        return Outcome(folder=folder, error=as_error(error, command="nixpy check", path=folder))


def check(project: Project) -> Verdict:
    """Compare the generated files of a project with those of nixpy.lock.

    A file is also out of date if the requirements of the project have changed since nixpy.lock was written. Without a
    nixpy.lock or a style, each file is checked by itself. Raises NixpyError if the settings need a flake input that the
    project cannot have.
    """
    library_input.refuse(project)
    nixpy_lock = read_nixpy_lock(project)
    resolved = resolve_options(project)
    if nixpy_lock is None or resolved.style is None:
        files = tuple(_by_itself(path) for path in (project.nixpy_lock_path, project.rendered))
        reasons = [_setting(project, "style", "the settings name no style")] if nixpy_lock else []
        return replace(_verdict(files, reasons), settled=resolved.style is not None)
    lang2nix.refuse_nixpkgs(project, resolved)
    left_behind = tuple(flake_imports.left_behind(project.root, project.settings.file))
    own = imported(project, nixpy_lock)
    locked = project.locked and select(project.locked, resolved.targets(), project.extras_and_groups)
    changes = [
        *_asked(project, resolved, nixpy_lock),
        *_chosen(project, resolved, nixpy_lock),
        *(_installed(project, project.locked.path, locked, nixpy_lock) if project.locked and locked else ()),
        *_imported(project, own, nixpy_lock),
        *(Reason(message=with_hint(one.message, one.hint), path=project.flake) for one in left_behind),
    ]
    env = environment_of(project, resolved, nixpy_lock)
    files = reconcile(outputs(project, env, nixpy_lock), write=False)
    if changes:
        right = (State.FRESH, State.OLDER)
        files = tuple(replace(file, state=State.STALE) if file.state in right else file for file in files)
    elif any(file.state is State.OLDER for file in files):
        message = f"the Nix functions in {project.rendered.name} are from another nixpy; the facts are right"
        changes.append(Reason(message=message, path=project.rendered))
    elif any(file.state is State.STALE for file in files):
        changes.append(Reason(message="the settings or nixpy itself changed after the files were generated"))
    return replace(
        _verdict(files, changes),
        diagnostics=(
            *left_behind,
            *flake_imports.unused(project),
            *file_diagnostics(project, resolved),
            *env.diagnostics,
            *unread(own),
            *(_unread_versions(locked, nixpy_lock) if locked and not changes else ()),
        ),
        settled=True,
    )


def rescan(project: Project, progress: Progress | None = None) -> Verdict:
    """Open every wheel again, and compare the files with the result.

    nixpy uses the network if necessary.
    """
    library_input.refuse(project)
    resolved = resolve_options(project)
    if resolved.style is None:
        return check(project)
    lang2nix.refuse_nixpkgs(project, resolved)
    made = plan(project, resolved, AnalysisOptions(root=project.root, rescan=True, progress=progress))
    files = reconcile(made.files, write=False)
    stale = any(file.state is State.STALE for file in files)
    # The wheels are the reason only if nothing else has changed.
    differs = Reason(message="the needs of the wheels differ from those in nixpy.lock")
    reasons = check(project).reasons or ((differs,) if stale else ())
    return replace(_verdict(files, reasons), diagnostics=made.environment.diagnostics, settled=True)


def _verdict(files: tuple[Comparison, ...], reasons: Iterable[Reason]) -> Verdict:
    states = {file.state for file in files}
    return Verdict(state=next(state for state in _GRAVITY if state in states), files=files, reasons=tuple(reasons))


def _by_itself(path: Path) -> Comparison:
    return Comparison(path=path, state=own_state(path) or State.STALE)


def _setting(project: Project, name: str, message: str) -> Reason:
    return Reason(message=message, path=project.settings_path, setting=name)


def _asked(project: Project, resolved: ResolvedOptions, nixpy_lock: NixpyLock) -> Iterable[Reason]:
    if nixpylock.digest(project.canonical(resolved.targets())) != nixpy_lock.inputs:
        where = project.dependencies.path if project.dependencies else project.source
        also = (path.name for path in project.inputs if where.name == SETUP_PY and path.name == SETUP_CFG)
        names = " or ".join((where.name, *also))
        yield Reason(
            message=f"the requirements in {names} changed after nixpy.lock was generated",
            path=where,
            setting="dependencies",
        )
    for diagnostic, path in lock_changes(project, resolved):
        yield Reason(
            message=diagnostic.message,
            path=path,
            package=diagnostic.package,
            setting="dependencies",
            hint=diagnostic.hint,
        )


def _chosen(project: Project, resolved: ResolvedOptions, nixpy_lock: NixpyLock) -> Iterable[Reason]:
    if resolved.python != nixpy_lock.python:
        yield _setting(
            project, "python", f"Python is now {resolved.python}, but nixpy.lock was generated for {nixpy_lock.python}"
        )
    if resolved.release != nixpy_lock.release:
        yield _setting(
            project,
            "nixpkgs",
            f"nixpkgs is now {resolved.release}, but nixpy.lock was generated for {nixpy_lock.release}",
        )
    if resolved.all_wheels and not nixpy_lock.complete:
        message = f"style {resolved.style} also installs pure Python wheels, which nixpy.lock does not list"
        yield _setting(project, "style", message)
    elif lists_all(project, resolved) and not nixpy_lock.complete:
        message = "nixpy.lock does not list the versions of pure Python packages, which the shell installs"
        yield Reason(message=message, path=project.nixpy_lock_path)
    elif resolved.all_wheels and not nixpy_lock.installable:
        message = "nixpy.lock does not state what each wheel requires; `nixpy sync` finds out with a network"
        yield Reason(message=message, path=project.nixpy_lock_path)
    for system in sorted(set(resolved.systems) - set(nixpy_lock.systems)):
        yield _setting(project, "systems", f"nixpy.lock was not generated for {system}")
    for system in sorted(set(nixpy_lock.systems) - set(resolved.systems)):
        yield _setting(project, "systems", f"{system} is no longer one of the systems")


def _installed(project: Project, path: Path, locked: Locked, nixpy_lock: NixpyLock) -> Iterable[Reason]:
    """Yield differences between the wheels of the lock at `path` and nixpy.lock."""
    known = {wheel.identity for wheel in nixpy_lock.wheels}
    now = {wheel.identity: wheel for wheel in locked.wheels}
    came: dict[str, str] = {}
    read = {wheel.name for wheel in nixpy_lock.wheels} | {name for name, _ in nixpy_lock.pure}
    for key, wheel in now.items():
        if key not in known and (nixpy_lock.complete or _matters(wheel) or wheel.name not in read):
            came.setdefault(
                wheel.name, f"{path.name} installs {wheel.name} {wheel.version}, which nixpy has not analysed"
            )
    for name, message in came.items():
        yield Reason(message=message, path=path, package=name)
    names = {wheel.name for wheel in locked.wheels}
    for name in sorted({wheel.name for wheel in nixpy_lock.wheels if wheel.identity not in now}):
        if name not in names:
            yield Reason(message=f"{path.name} no longer installs {name}", path=project.nixpy_lock_path, package=name)
        elif name not in came:
            message = f"{path.name} installs another wheel of {name} than the one that nixpy analysed"
            yield Reason(message=message, path=path, package=name)
    if set(locked.unavailable) != set(nixpy_lock.unavailable):
        yield Reason(message=f"the packages without a wheel in {path.name} changed", path=path)
    elif changed := sorted(_folders(locked.unavailable) ^ _folders(nixpy_lock.unavailable)):
        name = changed[0][0]
        yield Reason(message=f"the local folder {name} is built with something else", path=path, package=name)


def _unread_versions(locked: Locked, nixpy_lock: NixpyLock) -> Iterator[Diagnostic]:
    """Yield a note if the lock has versions of pure wheels that nixpy has not read.

    Such versions seldom change anything, so the files count as up to date.
    """
    if nixpy_lock.complete:
        return
    names, pure = {wheel.name for wheel in nixpy_lock.wheels}, set(nixpy_lock.pure)
    other = {
        f"{wheel.name} {wheel.version}"
        for wheel in locked.wheels
        if wheel.name not in names and (wheel.name, wheel.version) not in pure
    }
    if other:
        yield Diagnostic(
            code="NIX232",
            message=f"nixpy has read other versions of {counted(len(other), 'pure Python package')} than the lock "
            f"installs now: {shorten(sorted(other))}",
            hint="Run `nixpy sync`, which reads these versions.",
            level="note",
        )


def _imported(project: Project, own: OwnImports, nixpy_lock: NixpyLock) -> Iterable[Reason]:
    """Yield what the own sources of the project import now, or no longer."""
    for message, package in differences(own, nixpy_lock):
        yield Reason(message=message, path=project.nixpy_lock_path, package=package)


def _folders(unavailable: Iterable[Unavailable]) -> set[tuple[str, tuple[str, ...], bool]]:
    """Return how each local folder is built."""
    found = ((item.name, item.sdist_facts) for item in unavailable if item.source == "folder")
    return {(name, facts.build, facts.compiled) if facts else (name, (), True) for name, facts in found}


def _matters(wheel: LockedWheel) -> bool:
    return not wheel.file.filename.endswith("-any.whl") or bool(curated(wheel.name).opens)
