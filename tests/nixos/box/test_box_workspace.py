"""A uv workspace: the shells of its root and of a member fill one `.venv`, each with what it analysed."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from nixos.box.managed import ADDRESS, OPTIONS, SETTINGS_OF_THE_BOX, WORK, serve
from nixos.box.sandbox import Box
from nixos.box.shells import nixpy_with, on_this_machine, wheelhouse
from nixos.box.store import PYTHON, RELEASE, SYSTEM
from nixos.realnix import lock_flake

ROOT = """\
[dependency-groups]
dev = ["typing-extensions"]

[tool.uv.workspace]
members = ["a", "packages/b"]
"""
MEMBER = '[project]\nname = "{name}"\nversion = "1"\nrequires-python = ">=3.11,<4"\ndependencies = ["{requirement}"]\n'
IMPORT = "import {module} as module, sys; print(module.__file__, sys.prefix, sep='|')"


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace in a git repository of the box, whose root and members have files of nixpy."""

    box: Box

    def enter(self, folder: str, script: str) -> subprocess.CompletedProcess[str]:
        """The finished run of a script in the shell of the project in `folder`, which the index can reach."""
        command = shlex.join(("nix", "develop", *OPTIONS, "-c", "bash", "-uc", script))
        served = serve(self.box.home, 8000, f"cd {WORK}/{folder} && {command}")
        return self.box.run("bash", "-c", served, cwd=WORK)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The workspace, locked by uv and analysed by nixpy; no shell was entered."""
    home = tmp_path_factory.mktemp("workspace") / "home"
    work, index = home / "work", wheelhouse()
    for name, requirement in (("a", "pillow"), ("packages/b", "lxml")):
        (work / name).mkdir(parents=True)
        (work / name / "pyproject.toml").write_text(MEMBER.format(name=name[-1], requirement=requirement))
    (work / "pyproject.toml").write_text(ROOT)
    on_this_machine(index, work, Path(sys.executable).with_name("uv"), "lock", "--quiet")
    for name in (".", "a", "packages/b"):
        nixpy_with(index, work / name, "init", "--style", "loader", "--python", PYTHON, "--system", SYSTEM)
        lock_flake(work / name, RELEASE)
    lock = work / "uv.lock"
    lock.write_text(lock.read_text().replace(index.url.removesuffix("/simple/"), ADDRESS))
    (work / ".gitignore").write_text(".venv/\n")
    for command in (("init", "-q"), ("add", "-A")):
        subprocess.run(["git", *command], cwd=work, check=True)
    return Workspace(Box(home=home, environment=SETTINGS_OF_THE_BOX))


def modules(*names: str) -> str:
    """A script that says of each module whether it can be imported, and from where."""
    return "; ".join(f'python -c "{IMPORT.format(module=name)}" 2>/dev/null || echo no {name}' for name in names)


ALL = modules("PIL.Image", "lxml.etree", "typing_extensions")


def test_a_member_uses_the_environment_of_the_workspace(workspace: Workspace) -> None:
    """In a member's folder the shell installs what the member requires into .venv of the workspace, also from deeper
    folders, and nothing is made in the member's own; what another member requires is gone then, as with uv.
    """
    done = workspace.enter("a", f"{ALL}; echo $VIRTUAL_ENV; ls -A; uv run --frozen python -c 'import PIL'")
    assert "nixpy: uv sync --frozen --package=a" in done.stderr.splitlines()
    image, lxml, extensions, venv, *there = done.stdout.splitlines()
    assert image.startswith(f"{WORK}/.venv/lib/")
    assert (lxml, extensions, venv) == ("no lxml.etree", "no typing_extensions", f"{WORK}/.venv")
    assert ".venv" not in there
    done = workspace.enter("packages/b", f"{ALL}; echo $VIRTUAL_ENV")
    assert "nixpy: uv sync --frozen --package=b" in done.stderr.splitlines()
    image, lxml, extensions, venv = done.stdout.splitlines()
    assert lxml.startswith(f"{WORK}/.venv/lib/")
    assert (image, extensions, venv) == ("no PIL.Image", "no typing_extensions", f"{WORK}/.venv")


def test_the_root_installs_all_members(workspace: Workspace) -> None:
    """In the folder of the workspace the shell installs what all members require, and the groups of the root; entered
    again it changes nothing.
    """
    done = workspace.enter(".", ALL)
    assert "nixpy: uv sync --frozen --all-packages" in done.stderr.splitlines()
    assert all(line.startswith(f"{WORK}/.venv/lib/") for line in done.stdout.splitlines())
    assert len(done.stdout.splitlines()) == 3
    assert "nixpy: uv sync" not in workspace.enter(".", "true").stderr
