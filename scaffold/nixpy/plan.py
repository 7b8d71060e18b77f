"""What a project's files should be, and whether they are: the one road behind `init`, `sync` and `check`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nixpy import (
    builders,
    config,
    environment,
    envrc,
    features,
    fetching,
    flake,
    lockfile,
    managers,
    releases,
    render,
    styles,
)
from nixpy.analyse import Findings, Sources, analyse
from nixpy.environment import Environment
from nixpy.errors import NixpyError
from nixpy.generated import Output
from nixpy.lockfile import Record, Wheel
from nixpy.locks.model import Choice, Lock
from nixpy.locks.pdm import PdmLock
from nixpy.locks.poetry import PoetryLock
from nixpy.locks.uv import UvLock
from nixpy.needs.dlopen import curated
from nixpy.problems import Problem, reason
from nixpy.project import Project
from nixpy.styles import Style
from nixpy.target import LINUX_SYSTEMS, SYSTEMS, Target
from nixpy.toml import read_text, toml_line

if TYPE_CHECKING:
    from nixpy.distribution import Distribution
    from nixpy.external.answer import Inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for over the settings; None leaves it to them."""

    style: str | None = None
    manager: str | None = None
    python: str | None = None
    nixpkgs: str | None = None
    systems: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    flake: bool = True
    direnv: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What was chosen for a project, each with the reason in words."""

    style: str | None
    python: str
    nixpkgs: str
    systems: tuple[str, ...]
    manager: str = managers.NONE
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def release(self) -> str:
        """The nixpkgs release whose facts hold for the chosen nixpkgs."""
        return releases.release(self.nixpkgs).branch

    @property
    def all_wheels(self) -> bool:
        """Whether nixpy.lock is to name every wheel, as the chosen style installs by it."""
        return self.style is not None and styles.find(self.style).all_wheels

    def targets(self) -> tuple[Target, ...]:
        """Return a target for each system: the chosen Python with the glibc of the nixpkgs release."""
        release = releases.release(self.nixpkgs)
        full = release.full_version(self.python)
        return tuple(Target(system=system, python=full, glibc=release.glibc) for system in self.systems)


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


def asked(project: Project, options: Options) -> Project:
    """Return the project with the features that the command line names beside those of its settings."""
    if not options.features:
        return project
    return replace(
        project,
        settings=replace(project.settings, features=tuple(sorted({*project.settings.features, *options.features}))),
    )


def choose(project: Project, options: Options = Options()) -> Choices:
    """Return what the command line asks for, else the settings, else what fits.

    That is the nixpkgs that the flake follows or the current stable branch, the Python that
    `releases.choose_python` takes, the manager that `managers.choose` takes, and every system; a style nobody named
    is None. Raises NixpyError for a style, manager or nixpkgs that cannot be, and where no Python of that nixpkgs fits
    the project.
    """
    settings = project.settings
    reasons: dict[str, str] = {}
    nixpkgs = config.nixpkgs_ref(options.nixpkgs) if options.nixpkgs else settings.nixpkgs
    if not nixpkgs:
        nixpkgs, reasons["nixpkgs"] = _nixpkgs(project.root)
    release = releases.release(nixpkgs)
    if release.state == "unstable" and "unstable" not in nixpkgs:
        reasons["nixpkgs"] = f"no release this nixpy knows, so taken for {release.branch}"
    with _located(project, "python", asked=options.python is not None):
        python, reasons["python"] = releases.choose_python(
            options.python or settings.python, _python_version_file(project), project.requires_python, release
        )
    style = options.style or settings.style
    with _located(project, "style", asked=options.style is not None):
        name = styles.find(style).name if style else None
    with _located(project, "features", asked=bool(options.features)):
        features.chosen(settings.features, name)
    with _located(project, "manager", asked=options.manager is not None):
        manager, reasons["manager"] = managers.choose(project, options.manager or settings.manager)
    if name and styles.find(name).folder != managers.FOLDER:
        manager, reasons["manager"] = managers.NONE, f"style {name} fills no .venv"
    return Choices(
        style=name,
        python=python,
        nixpkgs=nixpkgs,
        systems=tuple(sorted(options.systems or settings.systems or SYSTEMS)),
        manager=manager,
        reasons=reasons,
    )


@contextmanager
def _located(project: Project, key: str, *, asked: bool) -> Iterator[None]:
    """Add to an error the file that holds the setting `key`, and its line, unless the command line `asked`."""
    try:
        yield
    except NixpyError as error:
        if asked:
            raise
        path = Path(error.path or project.settings_path)
        path = path if path.is_relative_to(project.root) else project.root / path
        line = error.line
        if path == project.settings_path and path.is_file():
            table = ("tool", "nixpy") if path.name == config.PYPROJECT else ()
            line = toml_line(read_text(path), *table, key) if getattr(project.settings, key) else None
        raise NixpyError(error.message, hint=error.hint, path=path, line=line) from None


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
    if before and before.python != choices.python:  # their markers hold for another Python
        known = tuple(replace(wheel, requires=None) for wheel in known)
    urls = tuple(url for file in project.requirements_files for url in file.index_urls)
    lacking = before.unavailable if before else ()
    sources = replace(sources, known=known, lacking=lacking, metadata=choices.all_wheels, index_urls=urls)
    # What uv resolved has the chosen extras and groups in it, and does not know them by name.
    choice = project.choice if project.locked else Choice()
    return analyse(lock, choices.targets(), choice, sources)


def _lock_of(project: Project, choices: Choices, before: Record | None, sources: Sources) -> Lock:
    """Return the project's lock, or what uv resolves where there is none; recorded pins are kept where they fit."""
    if project.locked:
        return project.locked
    from nixpy.locks.pylock import PyLock
    from nixpy.resolve import resolve

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
    lock, now = project.locked, project.dependencies
    if isinstance(lock, PoetryLock | PdmLock) and lock.fresh() is False:
        tool = lock.path.name.partition(".")[0]
        yield Problem(
            code="NIX202",
            message=f"{lock.path.name} is behind pyproject.toml, which changed since",
            hint=f"run `{tool} lock`, then `nixpy sync`",
        )
    if not isinstance(lock, UvLock) or now is None or not now.complete:
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


def noticed(project: Project, choices: Choices) -> Iterator[Problem]:
    """Yield what is amiss with the user's own files, as far as that is known without the wheels."""
    yield from flake.left_behind(project.root, project.settings.file)
    yield from envrc.unwatched(project)
    if choices.style is not None:
        style = styles.find(choices.style)
        yield from flake.lacking(project.root, style)
        yield from builders.problems(project, style, choices.targets())


def with_user_files(plan: Plan, options: Options) -> Plan:
    """Return the plan with what `init` writes once: the settings, and flake.nix where there is none.

    Instead of that it is shell.nix, and default.nix of a style that builds the project, where no flake is asked for.
    """
    project, choices = plan.project, plan.choices
    env = {
        **plan.environment.as_dict(),
        "flake_kind": flake.kind(project.root) if options.flake else "none",
        "system_strings": [f'"{system}"' for system in choices.systems],
        "read": [shlex.quote(name) for name in envrc.read(project)],
    }
    pin = None if options.flake else flake.pin(project.root, choices.nixpkgs)
    env["pin"] = pin and pin.as_dict()
    extra = [_settings_output(project, choices, options), *_once(project, choices, env)]
    if options.direnv and not (direnv := project.root / envrc.NAME).exists():
        extra.append(Output(path=direnv, text=render.render("flake/envrc.jinja", env), owned=False))
    lines = None
    entry, template = (project.flake, "flake.nix") if options.flake else (project.root / "shell.nix", "shell.nix")
    if entry.exists():
        style = styles.find(plan.environment.style)
        if not flake.imports(entry, project.settings.file) or any(flake.lacking(project.root, style)):
            lines = render.render("flake/lines.jinja", env)
    else:
        extra.append(Output(path=entry, text=render.render(f"flake/{template}.jinja", env), owned=False))
        if not options.flake:
            why = f"at {pin.revision[:12]}" if pin else "a branch, which moves on: `--nixpkgs REVISION` would pin it"
            choices = replace(choices, reasons={**choices.reasons, "nixpkgs": why})
    default = project.root / "default.nix"
    if not options.flake and styles.find(str(choices.style)).builds and not default.exists():
        extra.append(Output(path=default, text=render.render("flake/default.nix.jinja", env), owned=False))
    return replace(plan, choices=choices, outputs=(*extra, *plan.outputs), entry=entry, lines=lines)


def _once(project: Project, choices: Choices, env: dict[str, Any]) -> Iterator[Output]:
    """Yield the files besides the flake that the style wants of the user and that are not there yet."""
    assert choices.style is not None  # noqa: S101  (chosen by now)
    for name in styles.find(choices.style).once:
        if not (path := project.root / name).exists():
            # Such styles are for Linux alone.
            linux = [target for target in choices.targets() if target.system in LINUX_SYSTEMS]
            names = {**env, "requirements": list(map(str, project.asked(linux)))}
            template = f"styles/{choices.style}/once/{name}.jinja"
            yield Output(path=path, text=render.render(template, names), owned=False)


def environment_of(project: Project, choices: Choices, record: Record) -> Environment:
    """Return what is rendered for `record`."""
    assert choices.style is not None  # noqa: S101  (chosen by now)
    style, targets = styles.find(choices.style), choices.targets()
    named = style.from_nixpkgs and not style.reads  # else other people's Nix code finds them
    return environment.environment(
        record,
        settings=project.settings,
        style=style.name,
        nixpkgs=choices.nixpkgs,
        manager=managers.manager(project, choices.manager),
        # Not every style asks nixpkgs for packages; `check` need not look for their names in the others.
        direct=project.direct_names(targets) if named else None,
        implied=project.implied_names(targets) if named else (),
        own=_distribution(project, style, targets) if style.builds else None,
        requirements=project.asked_lines(targets) if choices.all_wheels else (),
        origin=builders.origin(project, style, targets),
        external=_external(project, choices, record),
        lock=fetching.uv_lock(project),
        astray=fetching.astray(project, targets) if choices.all_wheels else (),
        beside=fetching.beside(project, targets) if choices.all_wheels else (),
    )


def _distribution(project: Project, style: Style, targets: Sequence[Target]) -> Distribution | None:
    from nixpy import distribution  # no other style waits for it

    wanted = style.builds == "always" or distribution.is_packaged(project.root)
    return distribution.read(project, targets) if wanted else None


def _external(project: Project, choices: Choices, record: Record) -> Inputs | None:
    """Return what the shell holds for [external] and to build what has no wheel; None where there is neither.

    Not every style builds sources.
    """
    builds_them = styles.find(str(choices.style)).builds_sources
    unavailable = [item for item in record.unavailable if item.compiled and builds_them]
    if not project.external and not unavailable:
        return None
    from nixpy.external import answer, builds

    own, settings = project.settings.external, project.settings
    found = builds.needed(unavailable, own)
    if project.external:
        table = project.external
        found = answer.asked(table, settings.extras, settings.groups, choices.targets(), own) + found
    return found


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


def _nixpkgs(root: Path) -> tuple[str, str]:
    """Return the nixpkgs an existing flake follows, else the current stable branch, and why."""
    followed = flake.followed(root)
    return (followed, "as the flake has it") if followed else (releases.current(), "the current stable branch")


def _python_version_file(project: Project) -> str | None:
    try:
        lines = (project.root / ".python-version").read_text("utf-8").split()
    except (OSError, UnicodeDecodeError):
        return None
    return lines[0] if lines else None


def _settings_output(project: Project, choices: Choices, options: Options) -> Output:
    chosen: dict[str, str | list[str]] = {
        "style": str(choices.style),
        "python": choices.python,
        "nixpkgs": choices.nixpkgs,
    }
    if options.features:
        chosen["features"] = list(project.settings.features)
    if options.manager:
        chosen["manager"] = choices.manager
    if options.systems:
        chosen["systems"] = list(choices.systems)
    path = project.settings_path
    text = path.read_bytes().decode() if path.is_file() else ""
    return Output(path=path, text=config.updated(path, text, chosen), owned=False)
