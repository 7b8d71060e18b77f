"""Who fills `.venv` with what a project installs: uv, pip, poetry or pdm, and by which command."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixpy.core.errors import NixpyError
from nixpy.locks import formats
from nixpy.project.config import PYPROJECT
from nixpy.project.project import Project
from nixpy.project.setup_files import SETUP_CFG, SETUP_PY

FOLDER = ".venv"
NONE = "none"  # the user fills .venv alone
_REQUIREMENTS = "requirements files"

# What each installs from besides the locks whose format names it; of several that could, the first is the default.
_WITHOUT_LOCK: dict[str, tuple[str, ...]] = {
    "uv": (PYPROJECT, _REQUIREMENTS),
    "pip": (_REQUIREMENTS, PYPROJECT),
    "poetry": (),
    "pdm": (),
}
_UNASKED = {_REQUIREMENTS: "pip"}

# What makes each take the shell's Python and the .venv of the project's folder; uv's stand in every shell.
_VARIABLES = {
    "pip": {"PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    "poetry": {"POETRY_VIRTUALENVS_IN_PROJECT": "true", "POETRY_VIRTUALENVS_PREFER_ACTIVE_PYTHON": "true"},
    "pdm": {"PDM_IGNORE_SAVED_PYTHON": "1"},
}

NAMES = (*_WITHOUT_LOCK, NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """One manager and how it fills `.venv`; all paths are relative to the project's folder.

    `make` are the words of the command for a new `.venv`, `fill` of the one that installs. `files` are what `fill`
    reads: it is run again when one of them changed.
    """

    name: str
    package: str | None  # its attribute of nixpkgs
    variables: Mapping[str, str]  # with values as they stand in a shell
    make: tuple[str, ...]
    fill: tuple[str, ...]
    files: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """Return it as `templates/nix/manager.nix` takes it, the commands as shell text."""
        return {
            "name": self.name,
            "package": self.package and {"nix": f"pkgs.{self.package}"},
            "variables": dict(self.variables),
            "create": shlex.join(self.make),
            "copies": "--copies" in self.make,
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
            return NONE, "what is installed is not in this folder"
        name = _UNASKED.get(kind) or next((name for name in _WITHOUT_LOCK if kind in _reads(name)), NONE)
        shown = relative(project, project.source)
        return name, f"no manager of nixpy's reads {shown}" if name == NONE else f"it installs from {shown}"
    if asked not in NAMES:
        raise NixpyError(f"there is no manager `{asked}`", hint=f"known are {', '.join(NAMES)}")
    if asked != NONE and (kind not in _reads(asked) or not _is_inside(project)):
        raise NixpyError(
            f"{asked} does not install from {relative(project, project.source)}",
            hint=f"it reads {', '.join(_reads(asked))} of the project's folder; "
            f"or choose another manager, or {NONE} to fill .venv yourself",
        )
    return asked, "as asked for"


def _reads(name: str) -> tuple[str, ...]:
    """Return what a manager installs from: names of lock files, and the kinds of projects without a lock."""
    return (*(one.name for one in formats.FORMATS if name in one.managers), *_WITHOUT_LOCK[name])


def manager(project: Project, name: str) -> Manager | None:
    """Return how the manager called `name` fills the `.venv` of the project; None for "none"."""
    if name == NONE:
        return None
    copies = project.settings.venv_copies
    make = (
        ("uv", "venv", ".venv")
        if name == "uv" and not copies
        else ("python", "-m", "venv", *["--copies"] * copies, ".venv")
    )
    fill = tuple(_fill(project, name))
    if not fill:
        return None  # there is nothing to install
    return Manager(
        name=name,
        package=None if name == "pip" else name,
        variables=_VARIABLES.get(name, {}),
        make=make,
        fill=fill,
        files=files(project),
    )


def _fill(project: Project, name: str) -> list[str]:
    kind = _kind(project)
    extras, groups = sorted(project.extras_and_groups.extras), project.extras_and_groups.groups
    named = sorted(groups or ())
    if name == "poetry":
        only = [] if groups is None else [f"--only={','.join(['main', *named])}"]
        return ["poetry", "install", "--no-interaction", *only, *(f"--extras={extra}" for extra in extras)]
    if name == "pdm":
        only = [] if groups is None else ["--prod"] * (not named)
        return ["pdm", "--non-interactive", "sync", *only, *(f"--group={group}" for group in (*extras, *named))]
    install = ["uv", "pip", "install"] if name == "uv" else [".venv/bin/python", "-m", "pip", "install", "--no-input"]
    if kind == _REQUIREMENTS:
        return [*install, *(word for path in project.requirements for word in ("-r", relative(project, path)))]
    if kind == PYPROJECT:
        return _unlocked(project, name, install)
    options = [*(f"--extra={extra}" for extra in extras), *(f"--group={group}" for group in named)]
    lock_format = formats.format_of(project.lock)
    if lock_format and lock_format.by_path:
        return ["uv", "pip", "sync", *options, relative(project, project.source)]
    return ["uv", "sync", "--frozen", *([] if groups is None else ["--no-default-groups"]), *options]


def _unlocked(project: Project, name: str, install: list[str]) -> list[str]:
    """Return the command for what pyproject.toml alone asks for, empty where that is nothing.

    It is not `uv sync`, which would write a lock, and so another project than the one that was analysed.
    """
    dependencies = project.dependencies
    assert dependencies is not None  # noqa: S101  (that kind of project has them)
    extras = sorted(project.extras_and_groups.extras)
    # As by `uv sync`, a project that does not say how it is built is not installed itself (tool.uv.package).
    words = ["-e", f".[{','.join(extras)}]" if extras else "."] if _is_built(project) else []
    if name == "uv":
        if dependencies.name is not None and not words:
            words = ["-r", PYPROJECT, *(f"--extra={extra}" for extra in extras)]
        words += [f"--group={group}" for group in dependencies.selected_groups(project.extras_and_groups.groups)]
    else:
        # pip reads groups since 25.1 alone, and requirements out of a pyproject.toml never.
        declared = dependencies.select(extras, ()) if words else ()
        wanted = dependencies.select(extras, project.extras_and_groups.groups)
        words += [str(requirement) for requirement in wanted if requirement not in declared]
    return [*install, *words] if words else []


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
    """Tell whether the lock belongs to this very folder; that of a workspace fills the workspace's `.venv`."""
    lock, lock_format = project.lock, formats.format_of(project.lock)
    return lock is None or bool(lock_format and lock_format.by_path) or lock.resolve().parent == project.root.resolve()


def relative(project: Project, path: Path) -> str:
    """Return the path as it stands in the project's folder."""
    return os.path.relpath(path, project.root)
