"""A repository with two projects of nixpy's, for what CI does with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import shop
from runner import Nixpy

IDENTITY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}

TOP = Path(__file__).parents[2]
# How pip finds its index on this machine, before the tests' own settings hide it. What is imported is compiled then.
OWN = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_")) or name == "HOME"}
OWN["PIP_COMPILE"] = "0"


def nixpys() -> dict[str, str]:
    """Return the settings of the tests' nixpy, for programs that start another."""
    return {
        name: value for name, value in os.environ.items() if name.startswith(("NIXPY_", "UV_")) or name == "NO_COLOR"
    }


def without_uv() -> str:
    """Return PATH without the folders that have uv, as most machines and GitHub's are."""
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if not Path(folder, "uv").exists())


def copy_of_nixpy(folder: Path) -> Path:
    """Copy what nixpy is installed from into `folder`, as it lies here, with what CI takes from it."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("scaffold", "templates"):
        shutil.copytree(TOP / name, folder / name, ignore=ignored)
    for path in TOP.iterdir():
        if path.is_file() and path.name != ".git":  # which in a worktree leads to the repository itself
            shutil.copy(path, folder)
    return folder


def git(folder: Path, *arguments: str | Path) -> str:
    """Run git in `folder` and return what it printed."""
    command = ["git", "-c", "init.defaultBranch=main", "-c", "safe.directory=*", *map(str, arguments)]
    environment = {**os.environ, **IDENTITY, "GIT_CONFIG_GLOBAL": "/dev/null"}
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


def commit(folder: Path, message: str = "change") -> str:
    """Commit all that lies in `folder` and return the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD").strip()


def make(folder: Path, nixpy: Nixpy) -> Path:
    """Make a repository of two projects, one of them at its top, both fresh."""
    shop.project(folder, "alpha")
    shop.project(folder / "services" / "web", "alpha", "gamma")
    git(folder, "init", "--quiet")
    for project in (folder, folder / "services" / "web"):
        assert nixpy("init", project, "--style", "loader").status == 0
    commit(folder, "first")
    return folder


def ask_for(project: Path, requirement: str) -> int:
    """Add a dependency, and return the line where the list of them begins."""
    path = project / "pyproject.toml"
    path.write_text(path.read_text().replace("dependencies = [\n", f'dependencies = [\n  "{requirement}",\n'))
    return path.read_text().split("\n").index("dependencies = [") + 1


def zizmor(persona: str, *files: Path) -> subprocess.CompletedProcess[str]:
    """Let zizmor read the files, with neither network nor mercy for one that it cannot."""
    program = Path(sys.executable).with_name("zizmor")
    options = ["--offline", "--no-progress", "--strict-collection", "--persona", persona]
    return subprocess.run([program, *options, *files], check=False, capture_output=True, text=True)
