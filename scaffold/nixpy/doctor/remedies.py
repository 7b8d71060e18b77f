"""Return the commands that create and fill a virtual environment."""

from __future__ import annotations

from pathlib import Path

from nixpy.core.text import shell_word
from nixpy.doctor.facts import Facts, ObservedProject, Venv
from nixpy.project.managers import FOLDER

PREFER_SYSTEM = "UV_PYTHON_PREFERENCE=only-system"
"""With this variable uv neither downloads a Python nor uses one that it downloaded before."""


def fill(project: ObservedProject | None, folder: Path, *, new: bool = False) -> str:
    """Return the command that fills a virtual environment.

    With `new` it first creates the environment.
    """
    install = in_environment(project.install if project else "uv sync", project, folder)
    venv = shell_word(_shown(project, folder))
    if not new or "uv sync" in install:  # `uv sync` creates it, and replaces one with another Python
        return install
    maker = "uv venv --clear" if install.startswith(("uv", "VIRTUAL_ENV")) else "python -m venv --clear"
    return f"{maker} {venv} && {install}"


def in_environment(command: str, project: ObservedProject | None, folder: Path) -> str:
    """Return a command that changes `.venv` for another virtual environment."""
    venv = shell_word(_shown(project, folder))
    if venv == ".venv":
        return command
    command = command.replace(".venv/", f"{venv}/")
    if command.startswith("uv pip"):
        return f"VIRTUAL_ENV={venv} {command}"
    return f"UV_PROJECT_ENVIRONMENT={venv} {command}" if command.startswith("uv ") else command


def by_shell(facts: Facts, folder: Path) -> bool:
    """Return whether entering the shell of the project fills this environment.

    False inside a Nix shell.
    """
    project = facts.project
    outside = facts.shell is None and "IN_NIX_SHELL" not in facts.environ
    own = project is not None and folder == (project.workspace or project.root) / FOLDER
    return project is not None and outside and project.fills and own


def create_again(facts: Facts, venv: Venv) -> str:
    """Return the command that creates and fills a virtual environment again.

    Without a project the installed packages are the only list of what to install: they are saved first, which works
    without the Python of the environment.
    """
    project, folder = facts.project, venv.folder
    remove = f"rm -r {_word(folder)}"
    # uv and other installers prefer the environment that these variables name.
    if others := [one for one in ("VIRTUAL_ENV", "CONDA_PREFIX") if facts.environ.get(one, str(folder)) != str(folder)]:
        remove = f"unset {' '.join(others)} && {remove}"
    if project is None:
        return f"{save_packages(venv)} && {remove} && uv venv {_word(folder)} && {_install_saved(folder)}"
    if by_shell(facts, folder):
        return f"{remove} && {project.enter}"
    return f"{remove} && {fill(project, folder, new=True)}"


def init(facts: Facts, command: str = "nixpy init") -> str:
    """Return the command that sets up nixpy, also without a project.

    Without a project, `command` gets one from the packages that are installed in the virtual environment.
    """
    venv = facts.venv
    if facts.project is not None or venv is None or not venv.versions:
        return command
    python = f"{_word(venv.python.path)} -m pip freeze > requirements.txt"
    save = python if not facts.uv and "pip" in venv.packages else save_packages(venv)
    return f"{save} && {command} --python {venv.versions[0].rstrip('t')}"


def save_packages(venv: Venv) -> str:
    """Return the command that writes the installed packages to requirements.txt."""
    sites = (venv.folder / f"lib/python{version}/site-packages" for version in venv.versions)
    return f"uv pip freeze {''.join(f'--path {_word(site)} ' for site in sites)}> requirements.txt"


def _install_saved(folder: Path) -> str:
    return f"uv pip install --python {_word(folder)} -r requirements.txt"


def _word(path: Path) -> str:
    return shell_word(str(path))


def _shown(project: ObservedProject | None, folder: Path) -> str:
    return str(folder.relative_to(project.root)) if project and folder.is_relative_to(project.root) else str(folder)
