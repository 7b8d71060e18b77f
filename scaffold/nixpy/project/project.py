"""Read a project: its settings, its dependencies, and its lock."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from packaging.markers import InvalidMarker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from nixpy.core.errors import ArgumentError, ProjectError, nearest, raised_as
from nixpy.core.read_file import is_file
from nixpy.core.requirement import canonical_requirement
from nixpy.core.target import Target
from nixpy.core.toml_file import load_toml, read_text, toml_line
from nixpy.locks import formats
from nixpy.locks.model import ExtrasAndGroups, Lock
from nixpy.project import config, setup_files, workspace
from nixpy.project.dependencies import Dependencies

if TYPE_CHECKING:
    from nixpy.external.table import External
    from nixpy.locks.requirements import RequirementsFile

NIXPY_LOCK = "nixpy.lock"
_BACKENDS = {"poetry": "poetry", "pdm": "pdm", "uv_build": "uv"}  # by the first word of `build-backend`
# Where uv, Poetry and PDM say that the project itself is not installed, only its dependencies.
_NOT_INSTALLED = (("uv", "package"), ("poetry", "package-mode"), ("pdm", "distribution"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """The requirements of one pyproject.toml, with the installed extras and groups."""

    dependencies: Dependencies
    extras: frozenset[NormalizedName]
    groups: frozenset[NormalizedName] | None


@dataclass(frozen=True, kw_only=True)
class Project:
    """One folder with Python dependencies.

    `pyproject` is its pyproject.toml, empty if there is none.

    The `lock` decides what is installed, if there is one; else the `requirements` files; else `dependencies`, those of
    pyproject.toml or literal ones of setup.py and setup.cfg.
    """

    root: Path
    settings: config.Settings
    settings_path: Path
    dependencies: Dependencies | None
    lock: Path | None
    requirements: tuple[Path, ...]
    pyproject: Mapping[str, Any] = field(default_factory=dict, repr=False)
    external: External | None = None

    @property
    def nixpy_lock_path(self) -> Path:
        """The path of nixpy.lock, which is next to the generated Nix file."""
        return self.rendered.with_name(NIXPY_LOCK)

    @property
    def rendered(self) -> Path:
        """The path of the generated Nix file."""
        return self.root / self.settings.file

    @property
    def flake(self) -> Path:
        """The path of the user's flake, which need not exist."""
        return self.root / "flake.nix"

    @property
    def extras_and_groups(self) -> ExtrasAndGroups:
        """Return the extras and groups to install, without those that only [external] has."""
        groups, extras = self.settings.groups, frozenset(self.settings.extras)
        if self.external:
            declared = self.dependencies
            extras -= self.external.extras.keys() - (declared.optional.keys() if declared else set())
            if groups is not None:
                only = self.external.groups.keys() - (declared.groups.keys() if declared else set())
                groups = tuple(group for group in groups if group not in only)
        return ExtrasAndGroups(
            extras=extras,
            groups=None if groups is None else frozenset(groups),
            members=frozenset(self.settings.members) or None,
        )

    @property
    def requires_python(self) -> SpecifierSet | None:
        """Return the Python versions in pyproject.toml, else those in the lock.

        Those of a workspace are only in the lock.
        """
        said = self.dependencies.requires_python if self.dependencies and not self.workspace else None
        if said is not None:
            return said
        if self.locked is not None:
            return self.locked.requires_python
        return next((file.requires_python for file in self.requirements_files if file.requires_python), None)

    @property
    def source(self) -> Path:
        """The file that decides what is installed."""
        if self.lock:
            return self.lock
        if self.requirements:
            return self.requirements[0]
        return self.dependencies.path if self.dependencies else self.settings_path

    def setting_line(self, name: str) -> int | None:
        """Return the line of the settings file that sets `name`, or that of its table.

        Returns None if there is neither, or no such file.
        """
        path = self.settings_path
        table = ("tool", "nixpy") if path.name == config.PYPROJECT else ()
        return toml_line(read_text(path), *table, name) if path.is_file() else None

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The existing files with the requirements and the settings of the project."""
        named = self.dependencies.path if self.dependencies else self.source
        also = [named.with_name(setup_files.SETUP_CFG)] if named.name == setup_files.SETUP_PY else []
        files = dict.fromkeys((self.source, *self.requirements, named, *also, self.settings_path))
        return tuple(path for path in files if path.is_file())

    @cached_property
    def requirements_files(self) -> tuple[RequirementsFile, ...]:
        """Return the parsed requirements files; empty if a lock or pyproject.toml decides."""
        return tuple(
            formats.read_requirements(path, self.root, self.extras_and_groups.groups) for path in self.requirements
        )

    @cached_property
    def locked(self) -> Lock | None:
        """Return the parsed lock, or None."""
        return formats.read(self.lock, self.root) if self.lock else None

    @cached_property
    def workspace(self) -> Path | None:
        """The folder of the uv workspace that the project belongs to, or None.

        The lock and `.venv` are in this folder, and all members use them.
        """
        lock_format = formats.format_of(self.lock)
        if not (self.lock and lock_format and lock_format.workspace):
            return None
        return self.lock.parent if self.locked and self.locked.members else None

    @property
    def is_root(self) -> bool:
        """Whether the project is in the folder of its workspace."""
        return self.workspace is not None and self.workspace.resolve() == self.root.resolve()

    @cached_property
    def members(self) -> Mapping[NormalizedName, Path]:
        """The members of the workspace that are installed, with their folders.

        Members that others require are not among them. Empty without a workspace.
        """
        if self.workspace is None or self.locked is None:
            return {}
        if not self.is_root:
            return {name: path for name, path in self.locked.members.items() if path.resolve() == self.root.resolve()}
        named = self.settings.members
        return {name: path for name, path in self.locked.members.items() if not named or name in named}

    def check_members(self) -> None:
        """Raise ArgumentError if the setting `members` names no member of the workspace."""
        if not self.is_root:
            shown = f": name them in {self.workspace}" if self.workspace else ", and this project has no workspace"
            raise ArgumentError(
                f"`members` is for the project in the folder of a uv workspace with a lock{shown}",
                hint="Remove the setting, or run `uv lock` if the project is a new workspace.",
            )
        known = self.locked.members if self.locked else {}
        if unknown := [name for name in self.settings.members if name not in known]:
            near = nearest(unknown[0], known)
            raise ArgumentError(
                f"the workspace has no member `{unknown[0]}`",
                hint=f"Did you mean `{near}`?" if near else f"The members are {', '.join(sorted(known))}.",
            )

    @cached_property
    def declared(self) -> Mapping[Path, Dependencies]:
        """The requirements of each pyproject.toml of the project, by its folder.

        For a workspace, these are its own and those of all members. Members without a pyproject.toml are left out.
        """
        found = {self.root.resolve(): self.dependencies} if self.dependencies else {}
        if self.workspace and self.locked:
            for folder in (self.workspace, *self.locked.members.values()):
                if folder.resolve() not in found and (folder / config.PYPROJECT).is_file():
                    found[folder.resolve()] = workspace.declared(folder)
        return found

    @cached_property
    def other_members(self) -> tuple[list[str], ...]:
        """The folders of members that only the workspace or only its lock has."""
        lock_format = formats.format_of(self.lock)
        if not (self.lock and self.locked and lock_format and lock_format.workspace):
            return [], []
        root = self.lock.parent.resolve()
        pyproject = root / config.PYPROJECT
        if not pyproject.is_file() or workspace.table(data := load_toml(pyproject)) is None:
            return [], []
        now = workspace.folders(root, data)
        locked = {path.resolve() for path in self.locked.members.values()} or {root}
        return tuple(sorted(os.path.relpath(path, root) for path in paths) for paths in (now - locked, locked - now))

    @cached_property
    def _parts(self) -> tuple[_Part, ...]:
        """The lists of requirements to install, if no requirements file decides."""
        chosen = self.extras_and_groups
        if self.requirements:
            return ()
        if self.workspace is None or self.locked is None:
            known = self.dependencies
            return (_Part(dependencies=known, extras=chosen.extras, groups=chosen.groups),) if known else ()
        groups = {canonicalize_name(name) for name in self.locked.groups(chosen)}
        members = [one for path in self.members.values() if (one := self.declared.get(path.resolve()))]
        parts = [
            _Part(dependencies=one, extras=chosen.extras & {*one.optional}, groups=frozenset(groups & {*one.groups}))
            for one in members
        ]
        # Of the root, a single member takes the groups that it lacks; several take all, if the root has no [project].
        single = len(members) == 1 and not (self.is_root and chosen.members is None)
        root = self.declared.get(self.workspace.resolve())
        if root and root not in members and (single or root.name is None):
            groups &= {*root.groups} - ({*members[0].groups} if single else set())
            only_groups = replace(root, dependencies=(), optional={})
            parts.append(_Part(dependencies=only_groups, extras=frozenset(), groups=frozenset(groups)))
        return tuple(parts)

    def canonical(self, targets: Sequence[Target]) -> tuple[str, ...]:
        """Return the requirements of the project, normalised and sorted.

        A lock must agree with these.

        Order, comments and spelling do not change the result; every change of a dependency does. If only the lock
        has the dependencies, the result is the names of all packages that it installs on `targets`.
        """
        lines: set[str] = {f"requires-python {self.requires_python}"} if self.requires_python else set()
        # The shell compares a digest of this to check that it is in the folder of its project.
        if self.dependencies and self.dependencies.name:
            lines.add(f"name {self.dependencies.name}")
        for part in self._parts:
            lines.update(part.dependencies.canonical(part.extras, part.groups))
        if self.is_root:
            lines.update(f"member {name}" for name in self.members)
        for file in self.requirements_files:
            lines.update(file.canonical())
        lines.update(f"locked {name}" for name in self._only_locked(targets))
        if self.external:
            lines.update(self.external.canonical(self.settings.extras, self.settings.groups))
        return tuple(sorted(lines))

    @property
    def only_dependencies(self) -> bool:
        """Whether `[tool.uv]` or its like says that the project is not installed."""
        tools = self.pyproject.get("tool")
        tables = tools if isinstance(tools, dict) else {}
        found = ((tables.get(tool), key) for tool, key in _NOT_INSTALLED)
        return any(isinstance(table, dict) and table.get(key) is False for table, key in found)

    def direct_names(self, targets: Sequence[Target], *, groups: bool = True) -> tuple[NormalizedName, ...]:
        """Return the names of the packages that the project itself requires.

        They are required on any of `targets`, and sorted.

        Without `groups`, those of its dependency groups, which are for development, are left out. If only the lock has
        the dependencies, these are all packages that it installs.
        """
        names = {
            canonicalize_name(requirement.name) for requirement in self.direct_requirements(targets, groups=groups)
        }
        return tuple(sorted(names | self._only_locked(targets)))

    def direct_requirements(self, targets: Sequence[Target], *, groups: bool = True) -> tuple[Requirement, ...]:
        """Return the project's own requirements on any of `targets`.

        The result is empty if only the lock has them.
        """
        wanted: list[Requirement] = []
        for part in self._parts:
            wanted += part.dependencies.select(part.extras, part.groups if groups else ())
        for file in self.requirements_files:
            wanted += [line.requirement for line in file.requirements if line.requirement]
        return holding(wanted, targets)

    def direct_requirement_lines(self, targets: Sequence[Target]) -> tuple[str, ...]:
        """Return `direct_requirements` as sorted, normalised text.

        It has no addresses, so that environments can be compared with it.
        """
        return tuple(
            sorted(
                {canonical_requirement(requirement, address=False) for requirement in self.direct_requirements(targets)}
            )
        )

    def implied_names(self, targets: Sequence[Target]) -> set[NormalizedName]:
        """Return those of `direct_names` that only the lock names."""
        return self._only_locked(targets) - {
            canonicalize_name(requirement.name) for requirement in self.direct_requirements(targets)
        }

    def admits(self, target: Target) -> bool:
        """Return whether the project is for the system of `target`.

        Its lock decides, or without one `tool.uv.environments`.
        """
        if self.locked:
            return self.locked.admits(target)
        environments = self.dependencies.uv.get("environments") if self.dependencies else None
        markers = [environments] if isinstance(environments, str) else environments
        if not markers or not isinstance(markers, list):
            return True
        try:
            return any(target.satisfies(marker) for marker in markers)
        except (InvalidMarker, TypeError):  # an error when uv's settings are read
            return True

    @property
    def _is_only_in_lock(self) -> bool:
        return self.locked is not None and not (self._parts and all(part.dependencies.complete for part in self._parts))

    @property
    def has_all_extras(self) -> bool:
        """Whether `direct_requirements` has all requirements, with their extras."""
        return not self._is_only_in_lock and all(
            line.requirement for file in self.requirements_files for line in file.requirements
        )

    def _only_locked(self, targets: Sequence[Target]) -> set[NormalizedName]:
        if self.locked is None or not self._is_only_in_lock:
            return set()
        installed = (package for target in targets for package in self.locked.packages(target, self.extras_and_groups))
        return {package.name for package in installed if not package.local}


def holding(requirements: Iterable[Requirement], targets: Sequence[Target]) -> tuple[Requirement, ...]:
    """Return the requirements with markers that are true on any of `targets`."""
    environments = [{**target.marker_environment(), "extra": ""} for target in targets]
    return tuple(one for one in requirements if one.marker is None or any(map(one.marker.evaluate, environments)))


@raised_as(ProjectError)
def read(root: Path) -> Project:
    """Read the project in the folder `root`.

    Raises ProjectError if the folder has no project, or one of its files is invalid, and LockError if the lock of its
    workspace cannot be read.
    """
    if not root.is_dir():
        raise ProjectError("no such folder", path=root, hint="Name the folder of a Python project.")
    pyproject, nixpy_toml = root / config.PYPROJECT, root / config.NIXPY_TOML
    data = load_toml(pyproject) if pyproject.is_file() else {}
    settings, settings_path = _settings(pyproject, nixpy_toml, data)
    # With dependencies in [project] (or a lock), another tool has generated the requirements files.
    has_dependencies = "project" in data or "dependency-groups" in data
    lock = _named(root, settings.lock) if settings.lock else None
    if lock is None and not settings.requirements:
        lock = formats.find(root, _tools(data, settings))
    requirements: tuple[Path, ...] = ()
    if lock is None:
        named = tuple(_named(root, name) for name in settings.requirements)
        requirements = named or (() if has_dependencies else _usual_requirements(root))
    locked = lock is not None
    dependencies = Dependencies.from_pyproject(data, pyproject, locked=locked) if has_dependencies else None
    if lock is None and not requirements and dependencies is None:
        dependencies = _from_setup(root, data, pyproject)
    external = None
    if "external" in data:
        from nixpy.external import table

        external = table.read(data, pyproject)
    return Project(
        root=root,
        settings=settings,
        settings_path=settings_path,
        dependencies=dependencies,
        lock=lock,
        requirements=requirements,
        pyproject=MappingProxyType(data),
        external=external,
    )


def _tools(pyproject: Mapping[str, Any], settings: config.Settings) -> tuple[str, ...]:
    """Return the tools that the project names.

    They are the manager in the settings, else those with a table in pyproject.toml or a build back end of their own.
    """
    if settings.manager:
        return (settings.manager,)
    tables, build = pyproject.get("tool"), pyproject.get("build-system")
    backend = build.get("build-backend") if isinstance(build, dict) else None
    named = [*(tables if isinstance(tables, dict) else ()), _BACKENDS.get(str(backend).partition(".")[0])]
    return tuple(tool for tool in named if tool)


def _from_setup(root: Path, data: dict[str, Any], pyproject: Path) -> Dependencies:
    """Return the requirements in setup.py and setup.cfg.

    Raises ProjectError, with a hint, if they cannot be read.
    """
    if data:
        Dependencies.from_pyproject(data, pyproject)  # raises its own error for Poetry's table
    if setup := setup_files.read(root):
        return setup.dependencies()
    if workspace.table(data) is not None:
        raise ProjectError(
            "this uv workspace has no uv.lock, and no project in its own folder",
            path=pyproject,
            hint="Run `uv lock`; nixpy then reads what the members require from uv.lock.",
        )
    raise ProjectError(
        "no Python project here: no pyproject.toml with [project], no setup.py, no requirements file, no lock file",
        path=root,
        hint="Name the folder of the project, or set `requirements` in nixpy.toml.",
    )


def _settings(pyproject: Path, nixpy_toml: Path, data: dict[str, Any]) -> tuple[config.Settings, Path]:
    tools = data.get("tool", {})
    if not isinstance(tools, dict):
        raise ProjectError("`tool` must be a table", path=pyproject)
    table = tools.get("nixpy")
    if nixpy_toml.is_file():
        if table is not None:
            raise ProjectError(
                "the settings are in this file and in [tool.nixpy] of pyproject.toml",
                path=nixpy_toml,
                hint="Keep one of them.",
            )
        return config.parse(load_toml(nixpy_toml), nixpy_toml, read_text(nixpy_toml)), nixpy_toml
    if not pyproject.is_file():
        return config.Settings(), nixpy_toml
    if table is None:
        return config.Settings(), pyproject
    if not isinstance(table, dict):
        raise ProjectError("`tool.nixpy` must be a table", path=pyproject)
    return config.parse(table, pyproject, read_text(pyproject), ("tool", "nixpy")), pyproject


def _named(root: Path, name: str) -> Path:
    path = root / name
    if not is_file(path):
        raise ProjectError("this file does not exist, but the settings of nixpy name it", path=path)
    return path


def _usual_requirements(root: Path) -> tuple[Path, ...]:
    if pins := formats.find_pins(root):
        return (pins,)
    for name in ("requirements.txt", "requirements.in"):
        if (root / name).is_file():
            return (root / name,)
    return ()
