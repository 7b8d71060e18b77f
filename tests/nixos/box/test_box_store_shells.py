"""Styles whose packages lie in the store: their shell's Python where no shell was entered, and the shell by direnv."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from nixos.box.sandbox import HOME, Box
from nixos.box.shells import wheelhouse
from nixos.box.store import RELEASE
from nixos.box.test_box_application import PYPROJECT, make
from nixos.box.test_box_builders import PACKAGED, init, make_poetry2nix, make_uv2nix
from nixos.box.test_box_builders import project as build_project
from nixos.realnix import HERE, lock_flake

OPTIONS = ("--offline", "--no-write-lock-file")
FLAKE = f"path:{HOME}/flake"
Saw = Callable[[str, str, bool], None]
TELL = "import json, numpy, os; print(json.dumps([os.path.realpath(numpy.__file__), dict(os.environ)]))"
START = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {TELL!r}], check=True)"


def _uv2nix(folder: Path) -> Box:
    box = Box(home=folder / "home")
    assert make_uv2nix(box).returncode == 0
    return box


def _poetry2nix(folder: Path) -> Box:
    box = Box(home=folder / "home")
    make_poetry2nix(box)
    return box


def _pyproject_nix(folder: Path) -> Box:
    box = Box(home=folder / "home")
    made = build_project(box, ["numpy"], PACKAGED)
    init(wheelhouse(), made, "pyproject-nix")
    return box


MADE: Mapping[str, Callable[[Path], Box]] = {
    "application": lambda folder: make(folder, PYPROJECT),
    "wheel-env": lambda folder: make(folder, PYPROJECT, style="wheel-env"),
    "with-packages": lambda folder: make(folder, PYPROJECT, style="with-packages"),
    "uv2nix": _uv2nix,
    "poetry2nix": _poetry2nix,
    "pyproject-nix": _pyproject_nix,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project in one style, on a host without nix-ld."""

    style: str
    box: Box

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The finished run of a command in its shell."""
        return self.box.nix("develop", *OPTIONS, FLAKE, "-c", *command, cwd=f"{HOME}/work", check=check)


@pytest.fixture(scope="module", params=MADE)
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One that asks for numpy, in each style; nothing is entered yet."""
    made = MADE[request.param](tmp_path_factory.mktemp(request.param))
    work = made.home / "work"
    work.mkdir()
    (work / ".envrc").write_text(f"use flake {FLAKE} {' '.join(OPTIONS)}\n")
    made.run("direnv", "allow", cwd=f"{HOME}/work")
    return Project(style=request.param, box=made)


def from_the_store(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether numpy was imported, and from the store."""
    return done.returncode == 0 and json.loads(done.stdout.splitlines()[-1])[0].startswith("/nix/store/")


def test_an_ide_can_start_its_python(project: Project, saw: Saw) -> None:
    """The Python that the shell offers imports numpy from the store where no shell was entered and nothing is set."""
    python = project.run("sh", "-c", "command -v python").stdout.strip()
    assert python.startswith("/nix/store/")
    bare = ("env", "-i", f"HOME={HOME}", python, "-c", TELL)
    saw(project.style, "ide", from_the_store(project.box.run(*bare, check=False)))


def test_direnv_enters_it(project: Project, saw: Saw) -> None:
    """By direnv it is the same numpy as by `nix develop`, both without nix-ld."""
    direnv = project.box.run("direnv", "exec", ".", "python", "-c", TELL, cwd=f"{HOME}/work", check=False)
    develop = project.run("python", "-c", TELL, check=False)
    saw(project.style, "no-nix-ld", from_the_store(develop))
    saw(project.style, "direnv", from_the_store(direnv))
    assert json.loads(direnv.stdout)[0] == json.loads(develop.stdout)[0]


def test_what_its_python_starts_inherits_nothing(project: Project, saw: Saw) -> None:
    """A child of the shell's Python has no LD_LIBRARY_PATH, nor any other variable of a loader."""
    file, environment = json.loads(project.run("python", "-c", START).stdout.splitlines()[-1])
    assert file.startswith("/nix/store/")
    saw(project.style, "leak-free", "LD_LIBRARY_PATH" not in environment)
    assert [name for name in environment if name.startswith(("LD_", "DYLD_", "NIX_LD"))] == []


WITH_RUFF = {**PYPROJECT, "pyproject.toml": PYPROJECT["pyproject.toml"].replace('"numpy>=2"', '"numpy>=2", "ruff"')}


def _pyproject_nix_with_ruff(folder: Path) -> Box:
    """On a nixpkgs whose Python set has ruff, as nixpkgs has it today: the style takes packages from nowhere else."""
    box = Box(home=folder / "home")
    made = build_project(box, ["numpy", "ruff"], PACKAGED)
    init(wheelhouse(), made, "pyproject-nix")
    table = folder / "python-attributes.csv"
    table.write_text((HERE / "python-attributes.csv").read_text() + "ruff,has,has,has,has,has\n")
    lock_flake(made, RELEASE, python_attributes=table)
    return box


@pytest.mark.parametrize("style", ["with-packages", "application", "pyproject-nix"])
def test_a_program_of_a_wheel_runs(style: str, tmp_path: Path, saw: Saw) -> None:
    """A program (ruff) that the project asks for as a Python package is in the shell and starts, where there is no
    loader for it: of the locked wheel where nixpkgs' Python set lacks it.
    """
    made = _pyproject_nix_with_ruff(tmp_path) if style == "pyproject-nix" else make(tmp_path, WITH_RUFF, style=style)
    bare = dataclasses.replace(made, host_loader="nothing")
    done = bare.nix("develop", *OPTIONS, FLAKE, "-c", "sh", "-c", "command -v ruff; ruff --version", check=False)
    assert done.stdout.startswith("/nix/store/"), done.stderr
    saw(style, "executables", "\nruff " in done.stdout)
