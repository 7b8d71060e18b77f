"""A project that takes the Nix functions from the flake input `nixpy`, built and entered where there is no /lib."""

from __future__ import annotations

import pytest

from nixos.box.sandbox import HOME, Box
from nixos.box.shells import build_check, nixpy
from nixos.box.store import PYTHON, RELEASE, SYSTEM
from nixos.realnix import lock_flake
from nixos.repository import copy_repository

OPTIONS = ("--offline", "--no-write-lock-file")
FLAKE = f"{HOME}/flake"
PYPROJECT = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["numpy"]

[tool.nixpy]
library = "input"
source = "path:{source}"
"""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A box with a fresh project that `nixpy init` wrote, whose `source` is a checkout of nixpy."""
    folder = tmp_path_factory.mktemp("input")
    copy_repository(folder / "nixpy")
    project = folder / "home/flake"
    project.mkdir(parents=True)
    (project / "pyproject.toml").write_text(PYPROJECT.format(source=folder / "nixpy"))
    nixpy(project, "init", "--style", "wheel-env", "--python", PYTHON, "--system", SYSTEM)
    lock_flake(project, RELEASE)
    return Box(home=folder / "home", host_loader="nothing")


def test_the_shell_imports_what_needs_libraries(box: Box) -> None:
    """`nix develop` of the flake as it was written has numpy, which needs libraries of nixpkgs."""
    assert "The rest is the same" not in (box.home / "flake/nixpy.nix").read_text()
    program = "import numpy; print(numpy.ones(3).sum())"
    done = box.nix("develop", *OPTIONS, f"path:{FLAKE}", "-c", "python", "-c", program)
    assert done.stdout == "3.0\n"


def test_the_outputs_are_built(box: Box) -> None:
    """`nix build` makes the package, whose Python imports numpy, and the check of the libraries passes."""
    box.nix("build", *OPTIONS, f"path:{FLAKE}", "-o", f"{HOME}/result")
    assert box.run(f"{HOME}/result/bin/python", "-c", "import numpy; print(1)").stdout == "1\n"
    done = build_check(box, FLAKE)
    assert done.returncode == 0, done.stderr
