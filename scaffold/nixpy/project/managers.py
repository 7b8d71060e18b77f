"""What fills `.venv` with what a project installs: uv, pip, poetry or pdm, and by which command.

`templates/managers.json`, which copier reads too, has a row for each manager. The managers of a lock stand in the row
of its format (`locks/formats.py`). A row has these members, all commands as shell text:

- `lock`: the name of its own lock; `addresses`: Nix reads in it where the wheels are.
- `without-lock`: what it installs from besides locks; it is the default for the first of these.
- `reads-groups`: it installs dependency groups and extras of pyproject.toml by their names.
- `package`: its attribute of nixpkgs; `variables`: what makes it take the Python of the shell and the `.venv` of the
  folder. Variables of uv are in every shell.
- `create`: the command for a new `.venv`.
- `install`: the commands that install from its `lock`, from a lock by its `path`, and `packages` that follow.
- `options`: what follows the command for each `extra` and `group`. Where groups are chosen, `chosen` stands before,
  with each group after `chosen-group`; `no-group` says that none is chosen.
- `add`: the command that adds a dependency, for the README of a new project.
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
from nixpy.project.project import Project
from nixpy.project.setup_files import SETUP_CFG, SETUP_PY

FOLDER = ".venv"
NONE = "none"  # the user fills .venv alone
_REQUIREMENTS = "requirements files"

_COPIES = "python -m venv --copies .venv"

TABLE: Mapping[str, Mapping[str, Any]] = templates.data("managers.json")
NAMES = (*TABLE, NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """One manager and how it fills `.venv`; all paths are relative to the project's folder.

    `create` is the command for a new `.venv`, as shell text, and `fill` are the words of the one that installs. `files`
    are what `fill` reads: it is run again when one of them changed.
    """

    name: str
    package: str | None  # its attribute of nixpkgs
    variables: Mapping[str, str]  # with values as they stand in a shell
    create: str
    fill: tuple[str, ...]
    files: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """Return it as `templates/nix/manager.nix` takes it, the commands as shell text."""
        return {
            "name": self.name,
            "package": self.package and {"nix": f"pkgs.{self.package}"},
            "variables": dict(self.variables),
            "create": self.create,
            "copies": self.create == _COPIES,
            "install": shlex.join(self.fill),
            "files": list(self.files),
        }


def choose(project: Project, asked: str | None) -> tuple[str, str]:
    """Return the name of the manager that fills `.venv`, "none" where nobody does, and why in words.

    Raises NixpyError for one that is not known, or does not install from what the project has.
    """
    kind = _kind(project)
    if asked is None:
        if not _is_inside(project):
            return NONE, "the lock is in another folder"
        preferring = (name for name, row in TABLE.items() if kind in row.get("without-lock", ())[:1])
        name = next(preferring, None) or next((name for name in TABLE if kind in _reads(name)), NONE)
        shown = relative(project, project.source)
        return name, f"no manager reads {shown}" if name == NONE else f"installs from {shown}"
    if asked not in NAMES:
        raise ArgumentError(f"there is no manager `{asked}`", hint=f"Use one of {', '.join(NAMES)}.")
    if asked != NONE and (kind not in _reads(asked) or not _is_inside(project)):
        raise ArgumentError(
            f"{asked} does not install from {relative(project, project.source)}",
            hint=f"Use a file that it reads in the folder of the project ({', '.join(_reads(asked))}), choose "
            f"another manager, or use {NONE} and fill .venv yourself.",
        )
    return asked, "from the settings"


def _reads(name: str) -> tuple[str, ...]:
    """Return what a manager installs from: names of lock files, and the kinds of projects without a lock."""
    return (*(one.name for one in formats.FORMATS if name in one.managers), *TABLE[name].get("without-lock", ()))


def manager(project: Project, name: str) -> Manager | None:
    """Return how the manager called `name` fills the `.venv` of the project; None for "none"."""
    if name == NONE:
        return None
    row = TABLE[name]
    fill = tuple(_fill(project, row))
    if not fill:
        return None  # there is nothing to install
    return Manager(
        name=name,
        package=row.get("package"),
        variables=row.get("variables", {}),
        create=_COPIES if project.settings.venv_copies else row["create"],
        fill=fill,
        files=files(project),
    )


def _fill(project: Project, row: Mapping[str, Any]) -> list[str]:
    """Return the words of the command that installs, empty where there is nothing to install."""
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
    return [*shlex.split(install["lock"]), *_only(row["options"], groups), *each]


def _each(options: Mapping[str, str], extras: Collection[str], groups: Collection[str]) -> list[str]:
    """Return an option for each extra, and for each group where the manager has one for it."""
    words = [options["extra"] + extra for extra in sorted(extras)]
    return words + [options["group"] + group for group in sorted(groups) if "group" in options]


def _only(options: Mapping[str, str], groups: Collection[str] | None) -> list[str]:
    """Return the option that leaves out other groups than these; none where the default groups are installed."""
    if groups is None:
        return []
    if not groups and "no-group" in options:
        return [options["no-group"]]
    each = [options["chosen-group"] + group for group in sorted(groups)] if "chosen-group" in options else []
    return [options["chosen"] + "".join(each)] if "chosen" in options else []


def _unlocked(project: Project, row: Mapping[str, Any]) -> list[str]:
    """Return the words for what pyproject.toml alone asks for, empty where that is nothing.

    It is not `uv sync`, which would write a lock, and so another project than the one that was analysed.
    """
    dependencies = project.dependencies
    assert dependencies is not None  # noqa: S101  (that kind of project has them)
    extras = sorted(project.extras_and_groups.extras)
    # As by `uv sync`, a project that does not say how it is built is not installed itself (tool.uv.package).
    words = ["-e", f".[{','.join(extras)}]" if extras else "."] if _is_built(project) else []
    if row.get("reads-groups"):
        options = row["options"]
        if dependencies.name is not None and not words:
            words = ["-r", PYPROJECT, *_each(options, extras, ())]
        words += _each(options, (), dependencies.selected_groups(project.extras_and_groups.groups))
    else:
        # pip reads groups since 25.1 alone, and requirements out of a pyproject.toml never.
        declared = dependencies.select(extras, ()) if words else ()
        wanted = dependencies.select(extras, project.extras_and_groups.groups)
        words += [str(requirement) for requirement in wanted if requirement not in declared]
    return words


def _is_built(project: Project) -> bool:
    path = project.dependencies.path if project.dependencies else None
    return path is not None and (path.name != PYPROJECT or "build-system" in project.pyproject)


def files(project: Project) -> tuple[str, ...]:
    """Return the files that say what is installed, relative to the project's folder."""
    read = [path for file in project.requirements_files for path in file.files]
    if not read:
        old = not project.lock and project.source.name != PYPROJECT
        names = (PYPROJECT, SETUP_PY, SETUP_CFG) if old else (PYPROJECT,)
        declared = (project.root / name for name in names)
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
    """Return whether the lock belongs to this very folder; that of a workspace fills the workspace's `.venv`."""
    lock, lock_format = project.lock, formats.format_of(project.lock)
    return lock is None or bool(lock_format and lock_format.by_path) or lock.resolve().parent == project.root.resolve()


def relative(project: Project, path: Path) -> str:
    """Return the path as it stands in the project's folder."""
    return os.path.relpath(path, project.root)
