"""Resolve the options of a project.

Each comes from the command line, else from its settings, else by default.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from nixpy.core import limits
from nixpy.core.errors import ArgumentError, NixpyError, ProjectError, SettingError
from nixpy.core.read_file import read_bytes
from nixpy.core.target import LINUX_SYSTEMS, SYSTEMS, Target, this_system
from nixpy.nixpkgs import releases
from nixpy.project import config, flake, managers
from nixpy.project.project import Project
from nixpy.styles import features, styles


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of the command line; None means the value in the settings."""

    style: str | None = None
    manager: str | None = None
    python: str | None = None
    nixpkgs: str | None = None
    systems: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    flake: bool | None = True  # None: unless the project has only a shell.nix
    direnv: bool = False
    reference: str | None = None  # that of the project's shell in a flake above, such as "../..#api"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedOptions:
    """A value for every option, and the reason for each in words."""

    style: str | None
    python: str
    nixpkgs: str
    systems: tuple[str, ...]
    required_systems: tuple[str, ...] = ()  # those that a recommended style must work on
    manager: str = managers.NONE
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def release(self) -> str:
        """The nixpkgs release with the facts that apply to the chosen nixpkgs."""
        return releases.release(self.nixpkgs).branch

    @property
    def all_wheels(self) -> bool:
        """Whether nixpy.lock must list every wheel.

        The chosen style installs from it then.
        """
        return self.style is not None and styles.find(self.style).all_wheels

    def targets(self) -> tuple[Target, ...]:
        """Return a target for each system.

        It has the chosen Python and the glibc of the nixpkgs release.
        """
        release = releases.release(self.nixpkgs)
        full = release.full_version(self.python)
        return tuple(Target(system=system, python=full, glibc=release.glibc) for system in self.systems)


def with_features(project: Project, options: Options) -> Project:
    """Return the project with the features of the command line added."""
    if not options.features:
        return project
    return replace(
        project,
        settings=replace(project.settings, features=tuple(sorted({*project.settings.features, *options.features}))),
    )


def resolve_options(project: Project, options: Options = Options()) -> ResolvedOptions:
    """Resolve each option of a project.

    It comes from the command line, else from the settings, else by default.

    The defaults are the nixpkgs that the flake follows or the current stable branch, the Python of
    `releases.choose_python`, the manager of `managers.choose`, and every system. Without a named style, the style is
    None; one that is recommended later must work on the named systems, else on Linux and on this machine. Raises
    NixpyError for an invalid style, manager or nixpkgs, and if no Python of that nixpkgs fits the project.
    """
    settings = project.settings
    if settings.members:
        with _located(project, "members", from_command_line=False):
            project.check_members()
    reasons: dict[str, str] = {}
    nixpkgs = config.nixpkgs_ref(options.nixpkgs) if options.nixpkgs else settings.nixpkgs
    if nixpkgs:
        reasons["nixpkgs"] = "from --nixpkgs" if options.nixpkgs else f"from {project.settings_path.name}"
    else:
        nixpkgs, reasons["nixpkgs"] = _nixpkgs(project.root)
    release = releases.release(nixpkgs)
    if not releases.is_known(nixpkgs) or (release.state == "unstable" and "unstable" not in nixpkgs):
        reasons["nixpkgs"] = f"not a release that this nixpy knows; treated as {release.branch}"
    if not releases.is_known(nixpkgs):
        release = replace(release, branch=f"{nixpkgs} (treated as {release.branch})")
    with _located(project, "python", from_command_line=options.python is not None):
        python, reasons["python"] = releases.choose_python(
            options.python or settings.python, _python_version_file(project), project.requires_python, release
        )
    if options.python or settings.python:
        reasons["python"] = "from --python" if options.python else f"from {project.settings_path.name}"
    style = options.style or settings.style
    if style:
        reasons["style"] = "from --style" if options.style else f"from {project.settings_path.name}"
    with _located(project, "style", from_command_line=options.style is not None):
        name = styles.find(style).name if style else None
    with _located(project, "features", from_command_line=bool(options.features)):
        features.select(settings.features, name)
    with _located(project, "manager", from_command_line=options.manager is not None):
        manager, reasons["manager"] = managers.choose(project, options.manager or settings.manager)
    if options.manager or settings.manager:
        reasons["manager"] = "from --manager" if options.manager else f"from {project.settings_path.name}"
    if name and styles.find(name).folder != managers.FOLDER:
        manager, reasons["manager"] = managers.NONE, f"style {name} has no .venv"
    named = options.systems or settings.systems
    resolved = ResolvedOptions(
        style=name,
        python=python,
        nixpkgs=nixpkgs,
        systems=tuple(sorted(named or SYSTEMS)),
        required_systems=tuple(sorted(named or {*LINUX_SYSTEMS, this_system() or LINUX_SYSTEMS[0]})),
        manager=manager,
        reasons=reasons,
    )
    return resolved if named else _of_project(resolved, project)


def _of_project(resolved: ResolvedOptions, project: Project) -> ResolvedOptions:
    """Return the options without the systems that the project excludes.

    Its lock decides, or `tool.uv.environments`.
    """
    systems = tuple(target.system for target in resolved.targets() if project.admits(target))
    excluded = [system for system in resolved.systems if system not in systems]
    if not systems and not project.locked:
        raise ProjectError(
            f"`tool.uv.environments` excludes every system that nixpy knows: {', '.join(excluded)}",
            hint="Add the system that you use, such as \"sys_platform == 'linux'\".",
            path=project.source,
        )
    if not systems or not excluded:  # the error of such a lock has the reason
        return resolved
    required = tuple(system for system in resolved.required_systems if system in systems)
    reason = f"{project.source.name} excludes {', '.join(excluded)}"
    return replace(
        resolved, systems=systems, required_systems=required, reasons={**resolved.reasons, "systems": reason}
    )


@contextmanager
def _located(project: Project, key: str, *, from_command_line: bool) -> Iterator[None]:
    """Add to an error the file and line of the setting `key`.

    An option that comes `from_command_line` has none.
    """
    try:
        yield
    except NixpyError as error:
        if from_command_line:
            raise
        path = Path(error.path or project.settings_path)
        path = path if path.is_relative_to(project.root) else project.root / path
        line, is_set = error.line, bool(getattr(project.settings, key))
        if path == project.settings_path and path.is_file():
            line = project.setting_line(key) if is_set else None
        kind = (SettingError if is_set else ProjectError) if isinstance(error, ArgumentError) else type(error)
        raise kind(error.message, hint=error.hint, path=path, line=line) from None


def _nixpkgs(root: Path) -> tuple[str, str]:
    """Return the nixpkgs of the flake, else the stable branch, and the reason."""
    entry = flake.nearest_flake(root)
    followed = flake.followed(entry.parent if entry else root)
    if followed:
        return followed, f"from {os.path.relpath(entry, root.resolve()) if entry else 'flake.nix'}"
    branch = releases.current()
    return branch, f"the current stable branch, supported until {releases.release(branch).until}"


def _python_version_file(project: Project) -> str | None:
    try:
        lines = read_bytes(project.root / ".python-version", limit=limits.PATH).decode().split()
    except (OSError, UnicodeDecodeError):
        return None
    return lines[0] if lines else None
