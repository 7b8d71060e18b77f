"""Compute the files that a project should have, for `init`, `sync` and `check`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from nixpy.analysis import nixpylock
from nixpy.analysis.analyse import Analysis, analyse
from nixpy.analysis.analysis_options import AnalysisOptions
from nixpy.analysis.nixpylock import NixpyLock, Wheel
from nixpy.commands import other_python
from nixpy.commands.imported import imported, unread
from nixpy.core.errors import NixpyError, ResolutionError
from nixpy.core.read_file import read_bytes
from nixpy.core.text import shell_word
from nixpy.diagnostics.diagnostic import Diagnostic, counted, shorten
from nixpy.environment import lang2nix, run_time
from nixpy.environment.assemble import environment_of
from nixpy.environment.facts import facts
from nixpy.environment.model import Environment
from nixpy.environment.options import ResolvedOptions
from nixpy.files import envrc, flake_imports, library_input, render, search_path
from nixpy.files.reconcile import OutputFile
from nixpy.libraries.match import Library
from nixpy.locks.formats import format_of
from nixpy.locks.model import ExtrasAndGroups, Lock
from nixpy.needs.derive import with_table
from nixpy.needs.model import Needs
from nixpy.needs.roots import is_library
from nixpy.nixpkgs import releases
from nixpy.project import flake, managers, own_imports, pyvenv, several_locks, workspace_checks
from nixpy.project.config import PYPROJECT
from nixpy.project.project import Project
from nixpy.styles import features, styles


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The files that a project should have, its wheels, and diagnostics."""

    project: Project
    resolved: ResolvedOptions
    environment: Environment
    nixpy_lock: NixpyLock
    wheels: tuple[Wheel, ...]
    files: tuple[OutputFile, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    before: NixpyLock | None = None  # the content of nixpy.lock, if it is reliable
    complete: bool = True  # `wheels` are all that the project installs, and not only those of nixpy.lock
    enter: str | None = None  # the command that enters the shell, if a flake in a folder above has it
    entry: Path | None = None  # flake.nix or shell.nix, if the plan has the user's files
    lines: str | None = None  # the lines to add to it by hand, if it already exists

    @property
    def style(self) -> str:
        """The name of the style that the files are for."""
        return self.environment.style.name

    @property
    def libraries(self) -> tuple[Library, ...]:
        """The libraries that the wheels need, sorted by soname."""
        return self.environment.libraries


def plan(
    project: Project, resolved: ResolvedOptions, analysis_options: AnalysisOptions, *, complete: bool = False
) -> Plan:
    """Analyse the wheels of a project, and return its generated files.

    If no style is set, nixpy recommends one.

    With `complete`, `wheels` are all that the project installs, also those that nixpy.lock leaves out.
    """
    before = read_nixpy_lock(project)
    inputs = nixpylock.digest(project.canonical(resolved.targets()))
    kept = None if complete else before
    analysis = _known(project, resolved, analysis_options, kept, inputs)
    # Only uv knows the wheels for other Pythons, if there is no lock; it runs no more often for that.
    compare = analysis_options.other_pythons and (analysis is None or project.locked is not None)
    analysis = analysis or _analyse(project, resolved, analysis_options, kept, inputs)
    nixpy_lock = analysis.to_nixpy_lock(
        python=resolved.python,
        release=resolved.release,
        inputs=inputs,
        systems=resolved.systems,
        complete=lists_all(project, resolved),
        installable=resolved.all_wheels,
    )
    own = imported(project, nixpy_lock)
    nixpy_lock = replace(nixpy_lock, imported=tuple(sorted(own.modules)))
    if resolved.style is None:
        programs = {wheel.name for wheel in nixpy_lock.wheels if _may_have_programs(wheel.needs)}
        style, why = styles.recommend(programs, resolved.required_systems)
        resolved = replace(resolved, style=style.name, reasons={**resolved.reasons, "style": why})
    env = environment_of(project, resolved, nixpy_lock)
    return Plan(
        project=project,
        resolved=resolved,
        environment=env,
        nixpy_lock=nixpy_lock,
        wheels=analysis.wheels,
        before=before,
        complete=analysis.complete,
        files=outputs(project, env, nixpy_lock),
        diagnostics=(
            *lock_diagnostics(project, resolved),
            *flake.other_nixpkgs(project.root, resolved.nixpkgs),
            *flake_imports.left_behind(project.root, project.settings.file),
            *file_diagnostics(project, resolved, of_user=True),
            *env.diagnostics,
            *_run_time(project, env, analysis.names),
            *unread(own),
            *(_other_python(project, resolved, env, analysis_options, kept) if compare else ()),
        ),
    )


def _may_have_programs(needs: Needs) -> bool:
    """Return whether a wheel contains programs.

    An ELF file that nixpy cannot read may be one.
    """
    return bool(needs.executables) or not all(map(is_library, needs.unreadable))


def with_suggested_features(plan: Plan) -> Plan:
    """Return the plan with the features that its diagnostics name as a remedy.

    The reason of the options for `features` says why.
    """
    found = {one.feature: one.message for one in plan.diagnostics if one.feature}
    if not found:
        return plan
    chosen = tuple(sorted({*plan.project.settings.features, *found}))
    project = replace(plan.project, settings=replace(plan.project.settings, features=chosen))
    resolved = replace(plan.resolved, reasons={**plan.resolved.reasons, "features": "; ".join(found.values())})
    env = environment_of(project, resolved, plan.nixpy_lock)
    before = set(plan.environment.diagnostics)
    return replace(
        plan,
        project=project,
        resolved=resolved,
        environment=env,
        files=outputs(project, env, plan.nixpy_lock),
        diagnostics=(*env.diagnostics, *(one for one in plan.diagnostics if one not in before and not one.feature)),
    )


def lists_all(project: Project, resolved: ResolvedOptions) -> bool:
    """Return whether nixpy.lock lists all wheels, not only those with needs.

    The style installs from nixpy.lock, or the project has no lock, and the shell installs the versions in nixpy.lock.
    """
    return resolved.all_wheels or (project.lock is None and resolved.manager != managers.NONE)


def _run_time(project: Project, env: Environment, names: Collection[str]) -> Iterator[Diagnostic]:
    """Yield diagnostics about modules and programs that are missing at run time."""
    enabled = {feature.name for feature in env.features}
    modules = {name for feature in features.features() if feature.name not in enabled for name in feature.modules}
    own = own_imports.own_imports((project.root, *project.members.values()), modules, strings=False).modules
    settings = project.settings
    yield from run_time.diagnostics(names, own, style=env.style, enabled=enabled, packages=settings.packages)


def _other_python(
    project: Project,
    resolved: ResolvedOptions,
    env: Environment,
    analysis_options: AnalysisOptions,
    before: NixpyLock | None,
) -> Iterator[Diagnostic]:
    """Yield a diagnostic if all packages have wheels only for another Python."""
    if env.style.from_nixpkgs or all(item.source for item in env.nixpy_lock.unavailable):
        return
    lock_for = partial(lock_of, project, before=before, analysis_options=analysis_options)
    progress = analysis_options.progress
    if other := other_python.python_with_wheels(project, resolved, lock_for, progress, env.nixpy_lock):
        yield Diagnostic(
            code="NIX218",
            message=other_python.sentence(other, resolved),
            hint=other_python.remedy(other.python, project),
        )


def _known(
    project: Project,
    resolved: ResolvedOptions,
    analysis_options: AnalysisOptions,
    before: NixpyLock | None,
    inputs: str,
) -> Analysis | None:
    """Return the analysis in nixpy.lock if the project still has it.

    It has none if another lock names the versions.
    """
    if before and not project.lock and not analysis_options.rescan and not analysis_options.upgrade:
        same = (before.inputs, before.python, before.release, before.systems) == (
            inputs,
            resolved.python,
            resolved.release,
            resolved.systems,
        ) and (before.installable or (not resolved.all_wheels and before.complete >= lists_all(project, resolved)))
        if same and not any(wheel.guessed for wheel in before.wheels):
            # The requirements are the same, so the versions that uv chose before stay.
            return Analysis(
                wheels=before.wheels, unavailable=before.unavailable, complete=before.complete, pure=before.pure
            )
    return None


def _analyse(
    project: Project,
    resolved: ResolvedOptions,
    analysis_options: AnalysisOptions,
    before: NixpyLock | None,
    inputs: str,
) -> Analysis:
    lock_for = partial(lock_of, project, before=before, analysis_options=analysis_options)
    try:
        lock = lock_for(resolved)
    except ResolutionError as error:
        progress = analysis_options.progress
        if not error.no_wheel or not analysis_options.other_pythons:
            raise
        if other := other_python.python_with_wheels(project, resolved, lock_for, progress):
            error.hint = f"{other_python.sentence(other, resolved)}. {other_python.remedy(other.python, project)}"
        raise
    known = before.wheels if before else ()
    # The requirements of wheels depend on the Python and on the extras.
    if before and (before.python, before.inputs) != (resolved.python, inputs):
        known = tuple(replace(wheel, requires=None) for wheel in known)
    urls = tuple(url for file in project.requirements_files for url in file.index_urls)
    unavailable = before.unavailable if before else ()
    analysis_options = replace(
        analysis_options,
        known_wheels=known,
        known_unavailable=unavailable,
        metadata=resolved.all_wheels,
        requirements=project.direct_requirements(resolved.targets()) if project.has_all_extras else None,
        index_urls=urls,
        venv=analysis_options.venv or project.root / managers.venv(project),
    )
    # The result of uv contains the chosen extras and groups, but not their names.
    extras_and_groups = project.extras_and_groups if project.locked else ExtrasAndGroups()
    return analyse(lock, resolved.targets(), extras_and_groups, analysis_options)


def lock_of(
    project: Project, resolved: ResolvedOptions, *, before: NixpyLock | None, analysis_options: AnalysisOptions
) -> Lock:
    """Return the project's lock, or what uv resolves without one.

    Pins in nixpy.lock are kept if they fit.
    """
    if project.locked:
        return project.locked
    from nixpy.index.resolve import resolve
    from nixpy.locks.pylock import PyLock

    pins: dict[str, str] = {}
    if before and not analysis_options.upgrade:
        pins = {item.name: item.version for item in before.unavailable if item.version}
        pins |= {wheel.name: wheel.version for wheel in before.wheels}
    source = project.requirements_files or project.dependencies
    assert source is not None  # noqa: S101  (`project.read` checks it)
    text = resolve(
        source,
        root=project.root,
        python=resolved.python,
        targets=resolved.targets(),
        extras_and_groups=project.extras_and_groups,
        preferences=pins,
        offline=analysis_options.offline,
        refresh=analysis_options.upgrade,
        allow_build=analysis_options.allow_build,
        merge_indexes=managers.merges_indexes(resolved.manager),
    )
    return PyLock.parse(text, project.source)


def lock_diagnostics(project: Project, resolved: ResolvedOptions) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each pyproject.toml that changed after the lock was made."""
    for diagnostic, _ in lock_changes(project, resolved):
        yield diagnostic


def lock_changes(project: Project, resolved: ResolvedOptions) -> Iterator[tuple[Diagnostic, Path]]:
    """Yield a diagnostic for each pyproject.toml that changed after the lock was made.

    With it is the file that it is about. For a workspace, these are the files of all members, as for `uv lock --check`.
    """
    if project.locked is None:
        return
    lock = project.locked
    path = project.dependencies.path if project.dependencies else project.source
    lock_format = format_of(lock.path)
    relock = lock_format.relock if lock_format else None
    hint = f"Run `{relock}`, then `nixpy sync`." if relock else "Lock again, then run `nixpy sync`."

    def outdated(reason: str, package: str | None = None) -> Diagnostic:
        message = f"{lock.path.name} is out of date: {reason}"
        return Diagnostic(code="NIX202", package=package, message=message, hint=hint)

    if lock.fresh() is False:
        yield outdated("pyproject.toml changed after the lock was made"), path
    for folder, known in project.declared.items():
        if not known.complete:
            continue
        targets = resolved.targets()
        names = {name for target in targets for name in lock.differences(known.declared, target, folder) or ()}
        if names:
            member = f" in {managers.relative(project, known.path)}" if known is not project.dependencies else ""
            yield outdated(f"the requirement for {shorten(sorted(names))} changed{member}", min(names)), known.path
    added, removed = project.other_members
    if added:
        yield (
            outdated(f"it lacks {counted(len(added), 'member')} of the workspace: {shorten(added)}"),
            lock.path.with_name(PYPROJECT),
        )
    if removed:
        verb = "is no longer a member" if len(removed) == 1 else "are no longer members"
        yield outdated(f"{shorten(removed)} {verb} of the workspace"), lock.path.with_name(PYPROJECT)


def file_diagnostics(project: Project, resolved: ResolvedOptions, *, of_user: bool = False) -> Iterator[Diagnostic]:
    """Yield diagnostics about the project's files that nixpy does not write.

    Those that depend on wheels are not among them.

    With `of_user`, also those about settings of uv outside the project, about the end of support for nixpkgs, and about
    the virtual environment.
    `check` leaves these out: they depend on the machine and on the date, and the report in CI must depend only on the
    project.
    """
    yield from _unknown_branch(resolved)
    if of_user:
        yield from _unsupported(resolved)
        yield from _other_venv(project, resolved)
    yield from _uv_diagnostics(project, of_user=of_user)
    yield from several_locks.diagnostics(project)
    yield from envrc.unwatched(project)
    yield from envrc.not_entering(project)
    yield from search_path.exported(project)
    yield from library_input.diagnostics(project)
    if resolved.style is not None:
        style = styles.find(resolved.style)
        yield from flake.input_diagnostics(project.root, style)
        yield from lang2nix.diagnostics(project, style, resolved.nixpkgs, resolved.targets())
        yield from workspace_checks.diagnostics(project, style)


def _unknown_branch(resolved: ResolvedOptions) -> Iterator[Diagnostic]:
    """Yield a diagnostic if nixpy does not know the branch of nixpkgs."""
    if not releases.is_known(resolved.nixpkgs):
        known = tuple(releases.releases().by_branch)
        yield Diagnostic(
            code="NIX224",
            message=f"nixpy does not know the branch {resolved.nixpkgs} of nixpkgs, which may not exist; nixpy takes "
            f"Python and glibc of {resolved.release} for it",
            hint=f"Check the name; the branches that nixpy knows are {', '.join(known)}.",
        )


def _unsupported(resolved: ResolvedOptions) -> Iterator[Diagnostic]:
    """Yield a diagnostic if support for the stable branch of nixpkgs has ended."""
    found, newest = releases.release(resolved.nixpkgs), releases.current()
    if found.until is not None and found.until < releases.today():
        yield Diagnostic(
            code="NIX211",
            message=f"the support of {found.branch} ended on {found.until}",
            hint=f"Run `nixpy init --nixpkgs {newest}`." if newest != found.branch else "Update nixpy.",
        )


def _other_venv(project: Project, resolved: ResolvedOptions) -> Iterator[Diagnostic]:
    """Yield a diagnostic if the .venv of the project has another Python version."""
    if resolved.style is None or styles.find(resolved.style).folder != managers.FOLDER:
        return
    folder = (project.workspace or project.root) / managers.FOLDER
    try:
        version = pyvenv.python_version(pyvenv.read_config(folder))
    except (OSError, NixpyError):  # doctor reports it
        return
    if version and version != resolved.python:
        shown = managers.relative(project, folder)
        yield Diagnostic(
            code="NIX430",
            message=f"{shown} has Python {version}, but the project has Python {resolved.python}",
            hint=f"Run `rm -r {shell_word(shown)}`; the shell creates it again.",
        )


def _uv_diagnostics(project: Project, *, of_user: bool) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each setting that nixpy does not pass on to uv.

    There are none if uv does not resolve the project.
    """
    if not project.locked:
        from nixpy.index.uv_config import uv_diagnostics

        yield from uv_diagnostics(project.root, of_user=of_user)


def outputs(project: Project, env: Environment, nixpy_lock: NixpyLock) -> tuple[OutputFile, ...]:
    """Return the two generated files."""
    return (
        OutputFile(path=project.nixpy_lock_path, text=nixpylock.dumps(nixpy_lock)),
        OutputFile(path=project.rendered, text=render.nix_file(facts(env), env.settings.library)),
    )


def read_nixpy_lock(project: Project) -> NixpyLock | None:
    """Return the content of nixpy.lock, or None if it is missing or not reliable.

    The rows about what wheels open at run time come from the current `dlopen.csv`, since no wheel must be opened for
    them.
    """
    try:
        nixpy_lock = nixpylock.loads(
            read_bytes(project.nixpy_lock_path).decode().replace("\r\n", "\n"), project.nixpy_lock_path
        )
    except (OSError, UnicodeDecodeError, nixpylock.Damaged, nixpylock.Newer, NixpyError):
        return None
    return replace(nixpy_lock, wheels=tuple(_opened(wheel) for wheel in nixpy_lock.wheels))


def _opened(wheel: Wheel) -> Wheel:
    needs = wheel.needs
    return replace(wheel, needs=replace(needs, opens=with_table(needs.opens, wheel.name, wheel.system, needs.provides)))
