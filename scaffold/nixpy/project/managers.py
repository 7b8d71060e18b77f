"""Choose the manager that installs a project into `.venv`.

It is uv, pip, poetry or pdm. nixpy also computes its commands.

`templates/managers.json`, which copier reads, too, has a row for each manager. The managers of a lock are in the row
of its format (`locks/formats.py`). A row has these members, with all commands as shell text:

- `lock`: the name of its own lock; `addresses`: Nix reads the addresses of wheels from it.
- `without-lock`: the kinds of projects without a lock that it installs; it is the default for the first of these.
- `merges-indexes`: it takes a package from all indexes together, and not from the first one that has it.
- `reads-groups`: it installs dependency groups and extras of pyproject.toml by their names.
- `package`: its attribute of nixpkgs; `variables`: the variables that make it use the Python of the shell and the
  `.venv` of the folder. Variables of uv are in every shell.
- `create`: the command for a new `.venv`.
- `install`: the commands that install from its `lock`, from a lock by its `path`, and `packages` that follow. The last
  one takes a file of constraints with `-c`: the versions in nixpy.lock, so that it installs what was analysed.
- `options`: the options for each `extra` and `group`. If groups are chosen, `chosen` comes first, and each group
  follows `chosen-group`; `no-group` is for an empty choice. In a workspace, `members` installs all members, and
  `member` each one that is named.
- `reinstall`: what installs damaged packages again. With `each` or `all` it is an option of the command that installs,
  for each package or for all; `packages` is a command that names and versions follow.
- `add`: the command that adds a dependency, for the README of a new project; `remove`: the one that removes it.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixpy.core import templates
from nixpy.core.errors import ArgumentError
from nixpy.locks import formats
from nixpy.project.config import PYPROJECT
from nixpy.project.project import NIXPY_LOCK, Project
from nixpy.project.setup_files import SETUP_CFG, SETUP_PY

FOLDER = ".venv"
NONE = "none"  # the user fills .venv without nixpy
_REQUIREMENTS = "requirements files"

_COPIES = "python -m venv --copies"

TABLE: Mapping[str, Mapping[str, Any]] = templates.data("managers.json")
NAMES = (*TABLE, NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """One manager and how it fills `.venv`.

    All paths are relative to the project's folder.

    `create` is the command for a new `.venv`, as shell text, and `fill` are the words of the command that installs.
    `files` are the files that `fill` reads: it runs again when one of them changes.
    """

    name: str
    package: str | None  # its attribute of nixpkgs
    variables: Mapping[str, str]  # with values as shell text
    create: str
    fill: tuple[str, ...]
    files: tuple[str, ...]
    constrained: bool = False  # `fill` takes the versions in nixpy.lock as constraints, since there is no lock

    def facts(self) -> dict[str, Any]:
        """Return the arguments of `templates/nix/manager.nix`.

        The commands are shell text.
        """
        return {
            "name": self.name,
            "package": self.package and {"nix": f"pkgs.{self.package}"},
            "variables": dict(self.variables),
            "create": self.create,
            "copies": self.create.startswith(_COPIES),
            "install": shlex.join(self.fill),
            "files": list(self.files),
            "constraints": {"nix": f"./{NIXPY_LOCK}"} if self.constrained else None,
        }


def choose(project: Project, requested: str | None) -> tuple[str, str]:
    """Return the name of the manager that fills `.venv`, and the reason.

    The name may be "none"; the reason is in words.

    Raises NixpyError for a manager that is unknown, or that cannot install from the files of the project.
    """
    kind = _kind(project)
    if requested is None:
        if not _is_inside(project):
            return NONE, "the lock is in another folder"
        preferring = (name for name, row in TABLE.items() if kind in row.get("without-lock", ())[:1])
        name = next(preferring, None) or next((name for name in TABLE if kind in _reads(name)), NONE)
        shown = relative(project, project.source)
        return name, f"no manager reads {shown}" if name == NONE else f"installs from {shown}"
    if requested not in NAMES:
        raise ArgumentError(f"there is no manager `{requested}`", hint=f"Use one of {', '.join(NAMES)}.")
    if requested != NONE and (kind not in _reads(requested) or not _is_inside(project)):
        raise ArgumentError(
            f"{requested} does not install from {relative(project, project.source)}",
            hint=f"Use a file that it reads in the folder of the project ({', '.join(_reads(requested))}), choose "
            f"another manager, or use {NONE} and fill .venv yourself.",
        )
    return requested, "from the settings"


def merges_indexes(name: str) -> bool:
    """Return whether the manager takes a package from all indexes together.

    Otherwise it takes a package from the first index that has it.
    """
    return bool(TABLE.get(name, {}).get("merges-indexes"))


def install(name: str, versions: Collection[str]) -> str:
    """Return the command that installs requirements, as shell text.

    A manager without such a command leaves that to uv.
    """
    row = TABLE.get(name, {}).get("install", {})
    return shlex.join([*shlex.split(row.get("packages", TABLE["uv"]["install"]["packages"])), *versions])


def reinstall(name: str, install: str, packages: Collection[str], versions: Collection[str]) -> str | None:
    """Return the command that installs packages again, as shell text.

    Returns None if a manager has none. `install` is the command of the manager `name` that installs the project,
    `packages` are names, and `versions` are the same as requirements, `NAME==VERSION`.
    """
    row = TABLE.get(name, {}).get("reinstall", {})
    if "each" in row:
        return shlex.join([*shlex.split(install), *(row["each"] + package for package in packages)])
    if "all" in row:
        return f"{install} {row['all']}"
    return shlex.join([*shlex.split(row["packages"]), *versions]) if "packages" in row else None


def _reads(name: str) -> tuple[str, ...]:
    """Return the sources of a manager.

    They are names of lock files, and the kinds of projects without a lock.
    """
    return (*(one.name for one in formats.FORMATS if name in one.managers), *TABLE[name].get("without-lock", ()))


def manager(project: Project, name: str) -> Manager | None:
    """Return the manager `name` with its commands for the `.venv` of the project.

    Returns None for "none".
    """
    if name == NONE:
        return None
    row = TABLE[name]
    fill = tuple(_fill(project, row))
    if not fill:
        return None  # there is nothing to install
    folder = venv(project)
    return Manager(
        name=name,
        package=row.get("package"),
        variables=row.get("variables", {}),
        create=f"{_COPIES} {folder}" if project.settings.venv_copies else row["create"].replace(FOLDER, folder),
        fill=fill,
        files=files(project),
        constrained=project.lock is None,
    )


def _fill(project: Project, row: Mapping[str, Any]) -> list[str]:
    """Return the words of the command that installs.

    There are none if there is nothing to install.
    """
    kind, install = _kind(project), row["install"]
    if kind == _REQUIREMENTS:
        files = (word for path in project.requirements for word in ("-r", relative(project, path)))
        return [*shlex.split(install["packages"]), *files]
    if kind == PYPROJECT:
        words = _unlocked(project, row)
        return [*shlex.split(install["packages"]), *words] if words else []
    extras, groups = project.extras_and_groups.extras, project.extras_and_groups.groups
    each = _each(row["options"], extras, groups or ())
    lock_format = formats.format_of(project.lock)
    if lock_format and lock_format.by_path:
        return [*shlex.split(install["path"]), *each, relative(project, project.source)]
    members = _members(project, row["options"])
    return [*shlex.split(install["lock"]), *members, *_only(row["options"], groups), *each]


def _members(project: Project, options: Mapping[str, str]) -> list[str]:
    """Return the options for the members of the workspace to install."""
    if project.is_root and not project.settings.members:
        return [options["members"]]
    return [options["member"] + name for name in sorted(project.members)]


def _each(options: Mapping[str, str], extras: Collection[str], groups: Collection[str]) -> list[str]:
    """Return an option for each extra and, if the manager supports it, for each group."""
    words = [options["extra"] + extra for extra in sorted(extras)]
    return words + [options["group"] + group for group in sorted(groups) if "group" in options]


def _only(options: Mapping[str, str], groups: Collection[str] | None) -> list[str]:
    """Return the options that leave out other groups than these.

    There is none for the default groups.
    """
    if groups is None:
        return []
    if not groups and "no-group" in options:
        return [options["no-group"]]
    each = [options["chosen-group"] + group for group in sorted(groups)] if "chosen-group" in options else []
    return [options["chosen"] + "".join(each)] if "chosen" in options else []


def _unlocked(project: Project, row: Mapping[str, Any]) -> list[str]:
    """Return the command that installs the requirements in pyproject.toml.

    It is a list of words, empty if there are no requirements.

    It is not `uv sync`, which would write a lock and so change the project that was analysed.
    """
    dependencies = project.dependencies
    assert dependencies is not None  # noqa: S101  (that kind of project has them)
    extras = sorted(project.extras_and_groups.extras)
    # As with `uv sync`, a project without a build system is not installed itself (tool.uv.package).
    words = ["-e", f".[{','.join(extras)}]" if extras else "."] if _is_built(project) else []
    if row.get("reads-groups"):
        options = row["options"]
        if dependencies.name is not None and not words:
            words = ["-r", PYPROJECT, *_each(options, extras, ())]
        words += _each(options, (), dependencies.selected_groups(project.extras_and_groups.groups))
    else:
        # pip reads groups only since 25.1, and never reads requirements from a pyproject.toml.
        declared = dependencies.select(extras, ()) if words else ()
        wanted = dependencies.select(extras, project.extras_and_groups.groups)
        words += [str(requirement) for requirement in wanted if requirement not in declared]
    return words


def _is_built(project: Project) -> bool:
    path = project.dependencies.path if project.dependencies and not project.only_dependencies else None
    return path is not None and (path.name != PYPROJECT or "build-system" in project.pyproject)


def files(project: Project) -> tuple[str, ...]:
    """Return the files that decide what is installed.

    They are relative to the project's folder.
    """
    read = [path for file in project.requirements_files for path in file.files]
    if not read:
        old = not project.lock and project.source.name != PYPROJECT
        names = (PYPROJECT, SETUP_PY, SETUP_CFG) if old else (PYPROJECT,)
        declared = [project.root / name for name in names]
        if project.is_root:
            declared += [path / PYPROJECT for path in project.members.values()]
        read = [*([project.lock] if project.lock else []), *(path for path in declared if path.is_file())]
    return tuple(dict.fromkeys(relative(project, path) for path in read))


def _kind(project: Project) -> str:
    if project.lock is None:
        pins = formats.format_of(project.requirements[0]) if project.requirements else None
        if pins and pins.pins_only:
            return pins.name
        return _REQUIREMENTS if project.requirements else PYPROJECT
    lock_format = formats.format_of(project.lock)
    return lock_format.name if lock_format and lock_format.by_path else project.lock.name


def _is_inside(project: Project) -> bool:
    """Return whether the lock is in the project's folder, or is that of its workspace."""
    lock, lock_format = project.lock, formats.format_of(project.lock)
    if lock is None or (lock_format and lock_format.by_path) or project.workspace:
        return True
    return lock.resolve().parent == project.root.resolve()


def venv(project: Project) -> str:
    """Return the path of `.venv`, relative to the project's folder.

    All members of a workspace use the one in the folder of the workspace.
    """
    return FOLDER if project.workspace is None else relative(project, project.workspace / FOLDER)


def relative(project: Project, path: Path) -> str:
    """Return the path relative to the project's folder."""
    found = os.path.relpath(path, project.root)
    # The folder above a link is not the folder above its target, which programs see.
    return os.path.relpath(path.resolve(), project.root.resolve()) if found.startswith("..") else found
