"""Styles whose packages lie in the store: their shell's Python where no shell was entered, and the shell by direnv."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from nixos.box.sandbox import HOME, Box
from nixos.box.store import WHEELHOUSE
from nixos.box.test_box_application import PYPROJECT, make
from nixos.box.test_box_builders import PACKAGED, init, make_poetry2nix, make_uv2nix, project
from smallindex import SmallIndex

pytestmark = pytest.mark.box

OPTIONS = ("--offline", "--no-write-lock-file")
FLAKE = f"path:{HOME}/flake"
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
    made = project(box, ["numpy"], PACKAGED)
    with SmallIndex(WHEELHOUSE) as index:
        init(index, made, "pyproject-nix")
    return box


MADE: Mapping[str, Callable[[Path], Box]] = {
    "application": lambda folder: make(folder, PYPROJECT),
    "wheel-env": lambda folder: make(folder, PYPROJECT, style="wheel-env"),
    "with-packages": lambda folder: make(folder, PYPROJECT, style="with-packages"),
    "uv2nix": _uv2nix,
    "poetry2nix": _poetry2nix,
    "pyproject-nix": _pyproject_nix,
}


@pytest.fixture(scope="module", params=MADE)
def box(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A box with a project that asks for numpy, in each style, on a host without nix-ld; nothing is entered yet."""
    made = MADE[request.param](tmp_path_factory.mktemp(request.param))
    work = made.home / "work"
    work.mkdir()
    (work / ".envrc").write_text(f"use flake {FLAKE} {' '.join(OPTIONS)}\n")
    made.run("direnv", "allow", cwd=f"{HOME}/work")
    return made


def test_an_ide_can_start_its_python(box: Box) -> None:
    """The Python that the shell offers imports numpy from the store where no shell was entered and nothing is set."""
    python = box.nix("develop", *OPTIONS, FLAKE, "-c", "sh", "-c", "command -v python").stdout.strip()
    assert python.startswith("/nix/store/")
    file, _ = json.loads(box.run("env", "-i", f"HOME={HOME}", python, "-c", TELL).stdout)
    assert file.startswith("/nix/store/")


def test_direnv_enters_it(box: Box) -> None:
    """By direnv it is the same numpy as by `nix develop`."""
    direnv = box.run("direnv", "exec", ".", "python", "-c", TELL, cwd=f"{HOME}/work").stdout
    develop = box.nix("develop", *OPTIONS, FLAKE, "-c", "python", "-c", TELL, cwd=f"{HOME}/work").stdout
    assert json.loads(direnv)[0] == json.loads(develop)[0]
    assert json.loads(direnv)[0].startswith("/nix/store/")


def test_what_its_python_starts_inherits_no_search_path(box: Box) -> None:
    """A child of the shell's Python has no variable of a loader."""
    child = box.nix("develop", *OPTIONS, FLAKE, "-c", "python", "-c", START).stdout.splitlines()[-1]
    file, environment = json.loads(child)
    assert file.startswith("/nix/store/")
    assert [name for name in environment if name.startswith(("LD_", "DYLD_", "NIX_LD"))] == []
