"""Style application: projects with pyproject.toml and with setup.py, built by their own build system and run where there is
no /lib.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from nixos.box.sandbox import HOME, Box
from nixos.box.shells import nixpy
from nixos.box.store import PYTHON, RELEASE, SYSTEM, wheels
from nixos.realnix import CURRENT, lock_flake, stand_in

pytestmark = pytest.mark.box

OPTIONS = ("--offline", "--no-write-lock-file")
FLAKE = f"path:{HOME}/flake"
MAIN = """\
import os, sys

import numpy


def main():
    print("mean", numpy.mean([1, 2, 3]), os.path.dirname(os.path.realpath(numpy.__file__)), *sys.argv[1:])
"""
PYPROJECT = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling>=1.20"]
build-backend = "hatchling.build"

[project]
name = "counted"
version = "1.2"
dependencies = ["numpy>=2"]

[project.scripts]
other = "counted.main:main"
counted = "counted.main:main"
""",
    "src/counted/__init__.py": "",
    "src/counted/main.py": MAIN,
}
# What the project needs stands beside it, and one program is a file of its own, as in the wiki.
SETUP_PY = {
    "setup.py": """\
from setuptools import find_packages, setup

NAME = "counted"
setup(
    name=NAME,
    version="1.2",
    packages=find_packages(),
    scripts=["bin/other"],
    entry_points={"console_scripts": ["counted=counted.main:main"]},
)
""",
    "requirements.txt": "numpy>=2\n",
    "counted/__init__.py": "",
    "counted/main.py": MAIN,
    "bin/other": "#!/usr/bin/env python\nfrom counted.main import main\n\nmain()\n",
}
KINDS: Mapping[str, Mapping[str, str]] = {"pyproject.toml": PYPROJECT, "setup.py": SETUP_PY}


def make(folder: Path, files: Mapping[str, str], *options: str) -> Box:
    """A box with the flake of a project of these files."""
    project = folder / "home/flake"
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    nixpy(project, "init", "--style", "application", "--python", PYTHON, "--system", SYSTEM, *options)
    if (project / "flake.nix").exists():
        lock_flake(project, RELEASE)
    return Box(home=folder / "home", host_loader="nothing")


def build(box: Box, *options: str) -> subprocess.CompletedProcess[str]:
    """The finished build of the default package, whether it failed or not; `result` in the home is a link to it."""
    return box.nix("build", *OPTIONS, "-L", FLAKE, "-o", f"{HOME}/result", *options, check=False)


@pytest.fixture(scope="module", params=KINDS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A project of each kind, built."""
    box = make(tmp_path_factory.mktemp("application"), KINDS[request.param])
    done = build(box)
    assert done.returncode == 0, done.stderr
    return box


def test_its_programs_run(built: Box) -> None:
    """Both programs run with nothing set, on numpy from the store."""
    for name in ("counted", "other"):
        said = built.run("env", "-i", f"{HOME}/result/bin/{name}", "an argument").stdout.split()
        assert said[:2] == ["mean", "2.0"]
        assert said[2].startswith("/nix/store/")
        assert said[3:] == ["an", "argument"]
