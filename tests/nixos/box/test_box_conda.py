"""Styles micromamba and conda in the box. Their channels cannot be reached here, so the two programs are the stubs
of lacking.py.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from nixos.box.lacking import bring_conda
from nixos.box.sandbox import HOME, Box
from nixos.box.shells import nixpy
from nixos.box.store import PYTHON, RELEASE, SYSTEM
from nixos.realnix import lock_flake


@dataclass(frozen=True, slots=True, kw_only=True)
class Conda:
    """A project in one of the two styles, with the stub of its manager."""

    name: str
    box: Box
    folder: Path

    def run(
        self, script: str, *, folder: str = f"{HOME}/project", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """The finished run of a bash script in the root, entered in the project's folder or another one."""
        options = ("--offline", "--no-write-lock-file", f"path:{HOME}/flake")
        command = ("nixpy-fhs", "bash", "-euc", script)
        return self.box.nix("develop", *options, "-c", *command, cwd=folder, check=check)

    def calls(self) -> list[str]:
        """What the manager was asked since the last time."""
        file = self.box.home / "calls"
        found = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return found


@pytest.fixture(params=["micromamba", "conda"])
def conda(request: pytest.FixtureRequest, tmp_path: Path) -> Conda:
    """Either style, rendered for a project that wants pillow."""
    name: str = request.param
    box = Box(home=tmp_path / "home")
    folder = tmp_path / "home/flake"
    folder.mkdir(parents=True)
    (tmp_path / "home/project").mkdir()
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "demo"\nversion = "1"\nrequires-python = ">={PYTHON}"\ndependencies = ["pillow>=1"]\n'
    )
    nixpy(folder, "init", "--style", name, "--python", PYTHON, "--system", SYSTEM)
    lock_flake(folder, RELEASE)
    bring_conda(name, tmp_path / "home", folder)
    for file in ("environment.yml", "nixpy.lock"):
        (tmp_path / "home/project" / file).write_text((folder / file).read_text())
    return Conda(name=name, box=box, folder=folder)


IMPORT = "python -c 'import PIL.Image; print(PIL.Image.__file__)'"


def test_the_environment_is_made_once_and_follows_its_files(conda: Conda) -> None:
    """The first entry makes it from environment.yml, which nixpy wrote; the next does nothing; a change of a file
    brings it up to date; pillow's wheel finds zlib in the root.
    """
    printed = conda.run(IMPORT).stdout.strip()
    assert printed.startswith(f"{HOME}/project/.{conda.name}/lib/python{PYTHON}/site-packages/PIL/")
    (call,) = conda.calls()
    assert call.startswith({"micromamba": "create", "conda": "env update"}[conda.name])
    assert f"--file {HOME}/project/environment.yml" in call
    conda.run(IMPORT)
    assert conda.calls() == []
    (conda.box.home / "project/conda-requirements.txt").write_text("typing-extensions\n")
    conda.run("python -c 'import typing_extensions'")
    first, second = conda.calls()
    assert f"--file {HOME}/project/environment.yml" in first
    assert second.startswith("install")
    assert f"--channel conda-forge --file {HOME}/project/conda-requirements.txt" in second
    conda.run(IMPORT)
    assert conda.calls() == []


def test_under_direnv_its_command_has_the_environment(
    conda: Conda, saw: Callable[[str, str, bool | str], None]
) -> None:
    """In a shell that direnv made `nixpy-fhs` makes and enters the environment, and so does `python`; without it, a
    program of the environment is not found.
    """
    where = f"{HOME}/project"
    (conda.box.home / "project/.envrc").write_text(f"use flake path:{HOME}/flake --offline --no-write-lock-file\n")
    conda.box.run("direnv", "allow", cwd=where)
    for command in (
        ["nixpy-fhs", "bash", "-euc", IMPORT],
        ["python", "-c", "import PIL.Image as it; print(it.__file__)"],
    ):
        said = conda.box.run("direnv", "exec", ".", *command, cwd=where).stdout.strip()
        assert said.startswith(f"{where}/.{conda.name}/lib/")
    assert conda.box.run("direnv", "exec", ".", "pip", "--version", cwd=where, check=False).returncode != 0
    by_command = conda.box.run("direnv", "exec", ".", "nixpy-fhs", "pip", "--version", cwd=where).stdout
    saw(conda.name, "direnv", by_command.startswith("pip ") and "by `nixpy-fhs CMD`")


def test_without_the_list_pillow_fails(conda: Conda) -> None:
    """With the list emptied, the same environment does not find zlib."""
    conda.run(IMPORT)
    settings = conda.folder / "pyproject.toml"
    settings.write_text(settings.read_text() + '\n[tool.nixpy.libraries]\nignore = ["libz.so.1"]\n')
    nixpy(conda.folder, "sync")
    done = conda.run(IMPORT, check=False)
    assert "libz.so.1: cannot open shared object file" in done.stderr


def test_a_failure_is_told_and_tried_again(conda: Conda) -> None:
    """Where the manager fails, the entry says so and goes on, and the next one tries again."""
    file = conda.box.home / "project/environment.yml"
    text = file.read_text()
    file.write_text(text.replace("pillow", "nosuchpackage"))
    done = conda.run("echo in there")
    assert done.stdout.strip().endswith("in there")
    assert f"nixpy: {conda.name} failed; to retry, enter the shell again" in done.stderr
    file.write_text(text)
    assert "PIL" in conda.run(IMPORT).stdout


def test_the_environment_is_the_projects_wherever_one_stands(conda: Conda) -> None:
    """In a folder below, with an environment.yml of its own, the same environment is active and none is made; in other
    folders, with one too, none is made either, which is said, and the command runs.
    """
    conda.run(IMPORT)
    conda.calls()
    below = conda.run(f"mkdir -p src && cd src && touch environment.yml && env -u NIXPY_FHS nixpy-fhs {IMPORT}")
    assert f"/project/.{conda.name}/" in below.stdout
    away = "mkdir -p ~/elsewhere && cd ~/elsewhere && touch environment.yml"
    outside = conda.run(f"{away} && env -u NIXPY_FHS nixpy-fhs echo ran")
    assert outside.stdout.strip().endswith("ran")
    assert "nixpy: no environment is active: this is not the project's folder" in outside.stderr
    assert conda.calls() == []
    alone = conda.run("python -c 1", folder=f"{HOME}/elsewhere", check=False)
    assert "nixpy: no python: no environment is active" in alone.stderr
    for folder in ("elsewhere", "project/src"):
        assert [path.name for path in (conda.box.home / folder).iterdir()] == ["environment.yml"]


# A program of a wheel, and what a child of Python is given.
ASK = """
import json, os, subprocess, sys
program = subprocess.run([f"{sys.prefix}/bin/ruff", "--version"], capture_output=True, text=True)
print(json.dumps([program.stdout, dict(os.environ), sys.prefix]))
"""


def test_what_else_it_does(conda: Conda, saw: Callable[[str, str, bool], None]) -> None:
    """Where the host has no nix-ld the root has a loader for programs of wheels, and no LD_LIBRARY_PATH reaches what
    Python starts; the environment lies in the project's folder, and outside of the root its Python is dead.
    """
    (conda.box.home / "project/conda-requirements.txt").write_text("ruff\n")
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ASK!r}], check=True)"
    printed = conda.run(f"python -c {shlex.quote(start)}").stdout
    program, environment, prefix = json.loads(printed.splitlines()[-1])
    saw(conda.name, "executables", program.startswith("ruff "))
    saw(conda.name, "no-nix-ld", conda.box.host_loader == "stub-ld" and "PIL" in conda.run(IMPORT).stdout)
    saw(conda.name, "leak-free", "LD_LIBRARY_PATH" not in environment)
    saw(conda.name, "deployment", prefix.startswith("/nix/store/"))
    outside = conda.box.run(f"{prefix}/bin/python", "-c", "import PIL.Image, PIL._imaging", check=False)
    saw(conda.name, "ide", outside.returncode == 0)
