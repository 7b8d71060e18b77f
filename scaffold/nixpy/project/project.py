"""A project as it lies on disk: its settings, its dependencies, and the files that say what it installs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from nixpy.core.errors import ProjectError, raised_as
from nixpy.core.read_file import is_file
from nixpy.core.requirement import canonical_requirement
from nixpy.core.target import Target
from nixpy.core.toml_file import load_toml, read_text
from nixpy.locks import formats
from nixpy.locks.model import ExtrasAndGroups, Lock
from nixpy.project import config, setup_files
from nixpy.project.dependencies import Dependencies

if TYPE_CHECKING:
    from nixpy.external.table import External
    from nixpy.locks.requirements import RequirementsFile

NIXPY_LOCK = "nixpy.lock"


@dataclass(frozen=True, kw_only=True)
class Project:
    """One folder with Python dependencies; `pyproject` is its pyproject.toml, empty where there is none.

    `lock` is the lock file that decides what is installed, where there is one; otherwise `requirements` files do, and
    otherwise `dependencies`, those of pyproject.toml or, where it is written out there, of setup.py and setup.cfg.
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
        """Where nixpy.lock is: beside the rendered file."""
        return self.rendered.with_name(NIXPY_LOCK)

    @property
    def rendered(self) -> Path:
        """Where the generated Nix file is."""
        return self.root / self.settings.file

    @property
    def flake(self) -> Path:
        """Where the user's flake is, if there is one."""
        return self.root / "flake.nix"

    @property
    def extras_and_groups(self) -> ExtrasAndGroups:
        """Return the extras and groups that are installed, without those that [external] alone has."""
        groups, extras = self.settings.groups, frozenset(self.settings.extras)
        if self.external:
            declared = self.dependencies
            extras -= self.external.extras.keys() - (declared.optional.keys() if declared else set())
            if groups is not None:
                only = self.external.groups.keys() - (declared.groups.keys() if declared else set())
                groups = tuple(group for group in groups if group not in only)
        return ExtrasAndGroups(extras=extras, groups=None if groups is None else frozenset(groups))

    @property
    def requires_python(self) -> SpecifierSet | None:
        """Return what pyproject.toml says of the Pythons it runs on, else what the lock says."""
        said = self.dependencies.requires_python if self.dependencies else None
        return said if said is not None or self.locked is None else self.locked.requires_python

    @property
    def source(self) -> Path:
        """The file that decides what is installed."""
        if self.lock:
            return self.lock
        if self.requirements:
            return self.requirements[0]
        return self.dependencies.path if self.dependencies else self.settings_path

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The files that say what the project asks for, and the one with the settings, as far as they exist."""
        named = self.dependencies.path if self.dependencies else self.source
        files = dict.fromkeys((self.source, *self.requirements, named, self.settings_path))
        return tuple(path for path in files if path.is_file())

    @cached_property
    def requirements_files(self) -> tuple[RequirementsFile, ...]:
        """Return the requirements files, read; empty where something else decides."""
        return tuple(
            formats.read_requirements(path, self.root, self.extras_and_groups.groups) for path in self.requirements
        )

    @cached_property
    def locked(self) -> Lock | None:
        """Return the lock, read, where there is one."""
        return formats.read(self.lock, self.root) if self.lock else None

    def canonical(self, targets: Sequence[Target]) -> tuple[str, ...]:
        """Return what the project asks for, normalised and sorted: the part of it a lock must agree with.

        Order, comments and spelling do not change it; every change of a dependency does. Where only the lock tells
        the dependencies, it is the names of all that is installed on `targets`.
        """
        lines: set[str] = {f"requires-python {self.requires_python}"} if self.requires_python else set()
        # The shell knows by the digest of this whether it is in its own project's folder.
        if self.dependencies and self.dependencies.name:
            lines.add(f"name {self.dependencies.name}")
        if self.dependencies and not self.requirements:
            lines.update(self.dependencies.canonical(self.extras_and_groups.extras, self.extras_and_groups.groups))
        for file in self.requirements_files:
            lines.update(file.canonical())
        lines.update(f"locked {name}" for name in self._only_locked(targets))
        if self.external:
            lines.update(self.external.canonical(self.settings.extras, self.settings.groups))
        return tuple(sorted(lines))

    def direct_names(self, targets: Sequence[Target], *, groups: bool = True) -> tuple[NormalizedName, ...]:
        """Return the names of the packages the project itself asks for on any of `targets`, sorted.

        Without `groups` those of its dependency groups, which are for development, are left out. Where only the lock
        tells, these are all that it installs.
        """
        names = {
            canonicalize_name(requirement.name) for requirement in self.direct_requirements(targets, groups=groups)
        }
        return tuple(sorted(names | self._only_locked(targets)))

    def direct_requirements(self, targets: Sequence[Target], *, groups: bool = True) -> tuple[Requirement, ...]:
        """Return the requirements of the project itself on any of `targets`, as far as not only the lock tells them."""
        wanted: list[Requirement] = []
        if self.dependencies and not self.requirements:
            wanted += self.dependencies.select(
                self.extras_and_groups.extras, self.extras_and_groups.groups if groups else ()
            )
        for file in self.requirements_files:
            wanted += [line.requirement for line in file.requirements if line.requirement]
        return holding(wanted, targets)

    def direct_requirement_lines(self, targets: Sequence[Target]) -> tuple[str, ...]:
        """Return `direct_requirements` as normalised text without addresses, sorted, to compare an environment with."""
        return tuple(
            sorted(
                {canonical_requirement(requirement, address=False) for requirement in self.direct_requirements(targets)}
            )
        )

    def implied_names(self, targets: Sequence[Target]) -> set[NormalizedName]:
        """Return those of `direct_names` that nothing but the lock names."""
        return self._only_locked(targets) - {
            canonicalize_name(requirement.name) for requirement in self.direct_requirements(targets)
        }

    @property
    def _only_lock_tells(self) -> bool:
        return self.locked is not None and not (self.dependencies and self.dependencies.complete)

    @property
    def tells_extras(self) -> bool:
        """Whether `direct_requirements` has all that the project asks for, with the extras of each."""
        return not self._only_lock_tells and all(
            line.requirement for file in self.requirements_files for line in file.requirements
        )

    def _only_locked(self, targets: Sequence[Target]) -> set[NormalizedName]:
        if self.locked is None or not self._only_lock_tells:
            return set()
        installed = (package for target in targets for package in self.locked.packages(target, self.extras_and_groups))
        return {package.name for package in installed if not package.local}


def holding(requirements: Iterable[Requirement], targets: Sequence[Target]) -> tuple[Requirement, ...]:
    """Return those of the requirements whose markers hold on any of `targets`."""
    environments = [{**target.marker_environment(), "extra": ""} for target in targets]
    return tuple(one for one in requirements if one.marker is None or any(map(one.marker.evaluate, environments)))


@raised_as(ProjectError)
def read(root: Path) -> Project:
    """Read the project in the folder `root`.

    Raises ProjectError where there is nothing to read, or something in it is wrong; LockError where the lock of its
    workspace cannot be read.
    """
    if not root.is_dir():
        raise ProjectError("no such folder", path=root, hint="Name the folder of a Python project.")
    pyproject, nixpy_toml = root / config.PYPROJECT, root / config.NIXPY_TOML
    data = load_toml(pyproject) if pyproject.is_file() else {}
    settings, settings_path = _settings(pyproject, nixpy_toml, data)
    # With dependencies in [project] (or a lock of it), requirements files are another tool's by-product.
    has_dependencies = "project" in data or "dependency-groups" in data
    lock = _named(root, settings.lock) if settings.lock else None
    if lock is None and not settings.requirements:
        lock = formats.find(root)
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


def _from_setup(root: Path, data: dict[str, Any], pyproject: Path) -> Dependencies:
    """Return what setup.py and setup.cfg ask for; ProjectError that tells what to do where nothing can be read."""
    if data:
        Dependencies.from_pyproject(data, pyproject)  # has an error of its own for Poetry's table
    if setup := setup_files.read(root):
        return setup.dependencies()
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
