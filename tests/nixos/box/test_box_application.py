"""Style application: projects with pyproject.toml and with setup.py, built by their own build system, and run where
there is no /lib.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from nixos.box.sandbox import HOME, Box
from nixos.box.shells import nixpy
from nixos.box.store import PYTHON, RELEASE, SYSTEM, wheels
from nixos.realnix import HERE, lock_flake, stand_in

EXAMPLE = Path(__file__).parents[3] / "examples/application"
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


def make(folder: Path, files: Mapping[str, str], *options: str, style: str = "application") -> Box:
    """A box with the flake of a project of these files."""
    project = folder / "home/flake"
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    nixpy(project, "init", "--style", style, "--python", PYTHON, "--system", SYSTEM, *options)
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


def test_its_programs_run(built: Box, saw: Callable[[str, str, bool], None]) -> None:
    """Both programs run with nothing set, on numpy from the store."""
    for name in ("counted", "other"):
        said = built.run("env", "-i", f"{HOME}/result/bin/{name}", "an argument").stdout.split()
        assert said[:2] == ["mean", "2.0"]
        saw("application", "deployment", said[2].startswith("/nix/store/"))
        assert said[3:] == ["an", "argument"]


def test_nix_run_starts_it(built: Box) -> None:
    """`nix run` starts the program that is called as the project, and another by its name."""
    for program in ("", "#other"):
        done = built.nix("run", *OPTIONS, f"{FLAKE}{program}", "--", "an argument")
        assert done.stdout.startswith("mean 2.0 /nix/store/")
        assert done.stdout.endswith(" an argument\n")


def test_the_code_runs_in_place_in_the_shell(built: Box) -> None:
    """In `nix develop` the code of the folder itself is run, with its packages and its build system at hand."""
    work = f"{HOME}/flake"
    develop = ("develop", *OPTIONS, FLAKE, "-c")
    run = "import counted.main as it; print(it.__file__); it.main()"
    where, mean = built.nix(*develop, "python", "-c", run, cwd=work).stdout.splitlines()
    assert where.startswith(work)
    assert mean.startswith("mean 2.0 /nix/store/")
    backend = "hatchling" if "src" in where else "setuptools"
    built.nix(*develop, "python", "-c", f"import {backend}", cwd=work)


@pytest.mark.parametrize(
    ("kind", "words"), [("pyproject.toml", "numpy not installed"), ("setup.py", "No module named 'numpy'")]
)
def test_without_the_list_the_build_fails(tmp_path: Path, kind: str, words: str) -> None:
    """With no dependencies the build fails: where the project says what it requires, by that, else since its program
    cannot be imported.
    """
    box = make(tmp_path, KINDS[kind])
    file = box.home / "flake/nixpy.nix"
    text = file.read_text()
    assert text.count('requires = [ "numpy" ];') == 1
    file.write_text(text.replace('requires = [ "numpy" ];', "requires = [ ];"))
    done = build(box)
    assert done.returncode != 0
    assert words in done.stderr


def test_a_version_it_does_not_admit_fails_until_it_is_relaxed(tmp_path: Path) -> None:
    """Nixpkgs' version is held against the project's, and with `relax` it is taken all the same."""
    have = wheels()["numpy"].name.split("-")[1]
    files = {**PYPROJECT, "pyproject.toml": PYPROJECT["pyproject.toml"].replace("numpy>=2", f"numpy!={have}")}
    # For the analysis another wheel would do; here it is only the settings' turn.
    files["requirements.txt"] = "numpy\n"
    files["pyproject.toml"] += '\n[tool.nixpy]\nrequirements = ["requirements.txt"]\n'
    box = make(tmp_path, files)
    done = build(box)
    assert done.returncode != 0
    assert f"numpy!={have} not satisfied by version {have}" in done.stderr
    settings = box.home / "flake/pyproject.toml"
    settings.write_text(settings.read_text() + 'relax = ["numpy"]\n')
    nixpy(box.home / "flake", "sync")
    done = build(box)
    assert done.returncode == 0, done.stderr
    assert box.run(f"{HOME}/result/bin/counted").stdout.startswith("mean 2.0")


def test_what_nixpkgs_lacks_is_taken_from_the_lock(tmp_path: Path) -> None:
    """On a nixpkgs without numpy the program runs on the locked wheel, whose libraries are found; the check of what is
    asked for passes.
    """
    box = make(tmp_path, PYPROJECT)
    table = tmp_path / "python-attributes.csv"
    rows = (HERE / "python-attributes.csv").read_text().splitlines(keepends=True)
    table.write_text("".join(row for row in rows if not row.startswith("numpy,")))
    lock_flake(box.home / "flake", RELEASE, python_attributes=table)
    done = build(box)
    assert done.returncode == 0, done.stderr
    assert box.run("env", "-i", f"{HOME}/result/bin/counted").stdout.startswith("mean 2.0 /nix/store/")
    box.nix("build", *OPTIONS, "--no-link", f"{FLAKE}#checks.{SYSTEM}.requirements")


def test_an_extra_of_what_nixpkgs_has(tmp_path: Path) -> None:
    """The program imports what an extra of nixpkgs' own package asks for, and the check passes; without what the lock
    says of extras neither the program is built nor the check passes.
    """
    files = {
        **PYPROJECT,
        "pyproject.toml": PYPROJECT["pyproject.toml"].replace("numpy>=2", "flask[async]>=3"),
        "src/counted/main.py": "import asgiref\n\n\ndef main():\n    print(asgiref.__file__)\n",
    }
    box = make(tmp_path, files)
    assert box.nix("run", *OPTIONS, FLAKE).stdout.startswith("/nix/store/")
    check = ("build", *OPTIONS, "-L", "--no-link", f"{FLAKE}#checks.{SYSTEM}.requirements")
    box.nix(*check)
    lock = box.home / "flake/nixpy.lock"
    assert '"by-extras": ["asgiref"]' in lock.read_text()
    lock.write_text(lock.read_text().replace('"by-extras": ["asgiref"]', '"by-extras": []'))
    assert "No module named 'asgiref'" in build(box).stderr
    failed = box.nix(*check, check=False)
    assert failed.returncode != 0
    assert "asgiref>=3.2 for Flask[async]: nothing is installed" in failed.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_wheel_env_has_the_project_and_its_programs(tmp_path: Path, kind: str) -> None:
    """Under style wheel-env the environment of locked wheels holds the project as well, and `nix run` starts it there;
    without numpy's wheel it cannot run.
    """
    box = make(tmp_path, KINDS[kind], style="wheel-env")
    for program in ("", "#other"):
        assert box.nix("run", *OPTIONS, f"{FLAKE}{program}").stdout.startswith("mean 2.0 /nix/store/")
    assert build(box).returncode == 0
    assert box.run("env", "-i", f"{HOME}/result/bin/counted").stdout.startswith("mean 2.0 /nix/store/")
    assert box.run(f"{HOME}/result/bin/python", "-c", "import counted.main as it; print(it.__file__)").stdout != ""
    file = box.home / "flake/nixpy.nix"
    text = file.read_text()
    assert text.count("lib.attrValues fromWheel ++ ") == 1
    file.write_text(text.replace("lib.attrValues fromWheel ++ ", ""))
    failed = box.nix("run", *OPTIONS, FLAKE, check=False)
    assert "No module named 'numpy'" in failed.stderr


def test_the_example_is_built_and_run(tmp_path: Path) -> None:
    """The example's own files, as they are, are built on the stand-in, and its program writes the picture."""
    shutil.copytree(EXAMPLE, project := tmp_path / "home/flake", ignore=shutil.ignore_patterns("__pycache__"))
    lock_flake(project, RELEASE)
    box = Box(home=tmp_path / "home", host_loader="nothing")
    assert box.nix("run", *OPTIONS, FLAKE, "--", "picture.png").stdout == "wrote picture.png\n"
    assert (box.home / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_without_flakes_nix_build_and_nix_shell_do_it(tmp_path: Path) -> None:
    """`--no-flake` leaves a default.nix for nix-build and a shell.nix for nix-shell, over the same nixpy.nix."""
    box = make(tmp_path, PYPROJECT, "--no-flake")
    project = box.home / "flake"
    assert {path.name for path in project.iterdir()} >= {"default.nix", "shell.nix", "nixpy.nix"}
    assert not (project / "flake.nix").exists()
    nixpkgs = ("--arg", "nixpkgs", str(stand_in(RELEASE)))
    box.run("nix-build", *nixpkgs, cwd=f"{HOME}/flake")
    assert box.run(f"{HOME}/flake/result/bin/counted").stdout.startswith("mean 2.0")
    run = "python -c 'import counted.main as it; it.main()'"
    assert box.run("nix-shell", *nixpkgs, "--run", run, cwd=f"{HOME}/flake").stdout.startswith("mean 2.0")


def test_what_lies_in_the_folder_is_not_built(tmp_path: Path) -> None:
    """A `.venv`, bytecode and the generated files do not reach the build, so that they do not make it anew."""
    box = make(tmp_path, PYPROJECT)
    project = box.home / "flake"
    build(box)
    before = (box.home / "result").readlink()
    (project / ".venv").mkdir()
    (project / ".venv/big").write_text("x")
    (project / "src/counted/__pycache__").mkdir()
    (project / "src/counted/__pycache__/main.pyc").write_text("x")
    build(box)
    assert (box.home / "result").readlink() == before
    (project / "src/counted/new.py").write_text("")
    build(box)
    assert (box.home / "result").readlink() != before
