"""Checks of what surrounds the packages, on facts: each with both answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

from doctor.world import (
    BARE,
    HOST,
    LAUNCHER,
    LOADER,
    OTHER,
    PROJECT,
    ROOT,
    SHELL,
    STDCXX,
    SUPPLIERS,
    VENV,
    WELL,
    codes,
    only,
    program,
    venv,
)
from nixpy.doctor.examine import judge
from nixpy.doctor.facts import BrokenFile, OnPath, WheelProgram
from nixpy.doctor.report import not_looked_at, summary

MISSING = {"unfound": (STDCXX,), "suppliers": SUPPLIERS}
RUFF = replace(VENV, programs=(WheelProgram(wheel="ruff", path=ROOT / ".venv/bin/ruff", loader=LOADER),))
PYTHON = ROOT / ".venv/bin/python"
AGAIN = f"rm -r {ROOT}/.venv && uv sync"


@pytest.mark.parametrize(
    ("path", "relock", "command"),
    [
        ("pyproject.toml", None, f"${{EDITOR:-vi}} +7 {ROOT}/pyproject.toml"),
        ("uv.lock", "uv lock", f"rm {ROOT}/uv.lock && uv lock"),
    ],
)
def test_a_file_that_is_not_toml(path: str, relock: str | None, command: str) -> None:
    """NIX426 names file and line, and says what to do; a lock is written again."""
    file = BrokenFile(path=ROOT / path, line=7, message="this is not valid TOML: x", hint="Correct it.", relock=relock)
    found = only(broken_files=(file,))
    assert (found.code, found.command) == ("NIX426", command)
    assert found.message == f"{ROOT}/{path}:7: this is not valid TOML: x. Correct it."
    assert codes(broken_files=()) == []


def test_nothing_to_examine() -> None:
    """NIX427 without project and environment; one of them, or a damaged file, is something."""
    found = only(project=None, venv=None, started=None)
    assert (found.code, found.command) == ("NIX427", "nixpy doctor DIR")
    assert codes(project=None) == []
    file = BrokenFile(path=ROOT / "pyproject.toml", line=1, message="x", hint="")
    assert codes(project=None, venv=None, started=None, broken_files=(file,)) == ["NIX426"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"has_config": False, "home": None}, "it has no pyvenv.cfg"),
        ({"home": None}, "its pyvenv.cfg has no `home`"),
        ({"python": program(PYTHON, exists=False)}, f"{PYTHON} does not exist"),
        ({"python": program(PYTHON, broken="is not executable")}, f"{PYTHON} is not executable"),
        (
            {"python": program(PYTHON, "/opt/python3", broken="is not a program")},
            f"{PYTHON}, which is /opt/python3, is not a program",
        ),
    ],
)
def test_a_damaged_environment(change: dict[str, object], words: str) -> None:
    """NIX428 names the damage, and creates it again."""
    found = only(venv=replace(VENV, **change), started=None)  # type: ignore[arg-type]
    assert (found.code, found.command) == ("NIX428", AGAIN)
    assert words in found.message


def test_a_python_that_does_not_start() -> None:
    """NIX428 with its own words; where the host lacks the loader for it, that is NIX412 alone."""
    found = only(started=None, failure="No module named 'encodings'")
    assert (found.code, found.command) == ("NIX428", AGAIN)
    assert found.message.endswith(f"{PYTHON} does not start: No module named 'encodings'")
    foreign = venv(program(PYTHON, "/home/user/.local/share/uv/python/bin/python3.13", loader=LOADER))
    stub = replace(HOST, at_loader="stub")
    assert codes(venv=foreign, started=None, failure="No such file or directory", host=stub) == ["NIX412"]


def test_an_environment_that_was_moved() -> None:
    """NIX429 names where it was; its variable, which `activate` sets, is not a second diagnostic, and must not send
    the installer there.
    """
    moved = replace(VENV, other_folders=(Path("/old/demo/.venv"),))
    found = only(venv=moved)
    assert (found.code, found.command) == ("NIX429", AGAIN)
    assert "was moved or copied from /old/demo/.venv: " in found.message
    active = only(venv=moved, environ={"VIRTUAL_ENV": "/old/demo/.venv", "IN_NIX_SHELL": "impure"})
    assert (active.code, active.command) == ("NIX429", f"unset VIRTUAL_ENV && {AGAIN}")
    assert codes(venv=moved, environ={"VIRTUAL_ENV": "/third"}) == ["NIX402", "NIX429"]


def test_an_environment_without_a_project() -> None:
    """Without a project, the installed packages are saved before it is created again."""
    found = only(project=None, venv=replace(VENV, other_folders=(Path("/old/.venv"),)))
    assert found.command == (
        f"uv pip freeze --path {ROOT}/.venv/lib/python3.13/site-packages > requirements.txt && rm -r {ROOT}/.venv && "
        f"uv venv {ROOT}/.venv && uv pip install --python {ROOT}/.venv -r requirements.txt"
    )


def test_a_library_for_an_environment_without_a_project() -> None:
    """NIX409 and NIX407 save the installed packages before `nixpy init`, which needs a project."""
    save = f"uv pip freeze --path {ROOT}/.venv/lib/python3.13/site-packages > requirements.txt"
    assert only(**MISSING, project=None).command == f"{save} && nixpy init --python 3.13"
    stub = replace(HOST, at_loader="stub")
    found = only(venv=RUFF, host=stub, project=None)
    assert found.command == f"{save} && nixpy init --style patched-venv --python 3.13"
    pip = replace(VENV, packages=frozenset({"numpy", "pip"}))
    found = only(**MISSING, project=None, uv=False, venv=pip)
    assert found.command == f"{PYTHON} -m pip freeze > requirements.txt && nixpy init --python 3.13"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"python": "3.12"}, "Python 3.12"),
        ({"requires_python": SpecifierSet(">=3.14")}, "Python >=3.14"),
        ({"python": "3.13", "requires_python": SpecifierSet(">=3.14")}, "Python >=3.14"),
        ({"python": "3.13"}, None),
        ({"requires_python": SpecifierSet(">=3.13.4,<3.14")}, None),
        ({"requires_python": SpecifierSet("==3.13.2")}, None),
        ({}, None),
    ],
)
def test_an_environment_of_another_python(wanted: dict[str, object], expected: str | None) -> None:
    """NIX430 where neither the chosen version nor requires-python fits, whatever the patch release."""
    project = replace(PROJECT, **wanted)  # type: ignore[arg-type]
    one = replace(VENV, version="3.13")
    assert codes(project=project, venv=one) == (["NIX430"] if expected else [])
    if expected:
        found = only(project=project, venv=one)
        assert found.message == f"{ROOT}/.venv has Python 3.13, but uv.lock needs {expected}"
        assert found.command == AGAIN
    assert codes(project=replace(project, style="conda"), venv=one, pythons=()) == []
    # Creating it again installs the packages, too, and for the Python of the shell: that is not said twice.
    lacking = replace(project, locked=frozenset({"numpy", "scipy"}))
    assert codes(project=lacking, venv=one) == (["NIX430"] if expected else ["NIX401"])
    other = replace(one, python=program(PYTHON, OTHER))
    assert codes(project=project, venv=other) == (["NIX430"] if expected else ["NIX406"])


def test_packages_of_the_system() -> None:
    """With include-system-site-packages, the packages of the base Python and of the user are installed (NIX401)."""
    project = replace(PROJECT, locked=frozenset({"numpy", "scipy", "pandas"}))
    both = replace(VENV, inherits=True, system_packages=frozenset({"scipy"}))
    assert codes(project=project, venv=both, user_packages=frozenset({"pandas"})) == []
    assert only(project=project, venv=both).packages == ("pandas",)
    alone = replace(both, inherits=False)
    assert only(project=project, venv=alone, user_packages=frozenset({"pandas"})).packages == ("pandas", "scipy")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"venv": replace(VENV, inherits=True, system_packages=frozenset({"scipy"}))},
            "the files of packages that the environment imports from the system",
        ),
        (
            {"project": replace(PROJECT, style="micromamba"), "pythons": ()},
            "the packages in .micromamba, which another tool installs",
        ),
        ({}, None),
    ],
)
def test_what_no_check_looks_at(changes: dict[str, Any], words: str | None) -> None:
    """It is named, and the last line says nothing of it; the status is 0, since nothing was found."""
    report = judge(replace(WELL, **changes))
    assert (report.status, report.diagnostics) == (0, ())
    assert not_looked_at(report) == ([words] if words else [])
    assert summary(report, 9) == f"no diagnostic found{' in what was looked at,' if words else ''} by 9 checks"


CONDA = OnPath(program=program("/opt/conda/envs/science/bin/python"))
BASE = OnPath(program=program("/opt/conda/bin/python"))
SYSTEM = OnPath(program=program("/usr/bin/python3", BARE))


@pytest.mark.parametrize(
    ("environ", "pythons", "words"),
    [
        (
            {"CONDA_PREFIX": "/opt/conda/envs/science", "CONDA_DEFAULT_ENV": "science"},
            (CONDA, SYSTEM),
            "`python` and `pip` are those in /opt/conda/envs/science/bin, and uv pip and other installers prefer it",
        ),
        ({"CONDA_PREFIX": "/opt/conda/envs/science"}, (SYSTEM,), "uv pip and other installers prefer it"),
        (
            {"CONDA_PREFIX": "/opt/conda", "CONDA_DEFAULT_ENV": "base"},
            (BASE, SYSTEM),
            "`python` and `pip` are those in /opt/conda/bin",
        ),
        # uv treats the base environment as a Python of the system.
        ({"CONDA_PREFIX": "/opt/conda", "CONDA_DEFAULT_ENV": "base"}, (SYSTEM,), None),
        ({"CONDA_PREFIX": "/opt/conda/envs/science", "VIRTUAL_ENV": f"{ROOT}/.venv"}, (CONDA,), None),
        ({}, (SYSTEM,), None),
    ],
)
def test_conda(environ: dict[str, str], pythons: tuple[OnPath, ...], words: str | None) -> None:
    """NIX431 where conda's Python or folder goes before the environment, which activating it ends."""
    assert codes(environ=environ, pythons=pythons) == (["NIX431"] if words else [])
    if words:
        found = only(environ=environ, pythons=pythons)
        assert found.message == f"CONDA_PREFIX is {environ['CONDA_PREFIX']}: {words}, and not {ROOT}/.venv"
        assert found.command == f"source {ROOT}/.venv/bin/activate"
        assert codes(environ=environ, pythons=pythons, project=replace(PROJECT, style="conda")) == []
        assert codes(environ=environ, pythons=pythons, project=None, venv=None, started=None) == ["NIX427"]
        missing = {"project": replace(PROJECT, locked=frozenset()), "venv": None, "started": None}
        without = only(environ=environ, pythons=pythons, **missing)
        assert (without.code, without.command) == ("NIX431", "conda deactivate")


def test_the_shell_goes_first() -> None:
    """Outside of a shell that fills .venv, entering it creates a damaged environment again."""
    moved = replace(VENV, other_folders=(Path("/old/.venv"),))
    found = only(venv=moved, environ={}, pythons=())
    assert found.command == f"rm -r {ROOT}/.venv && nix develop"
    member = replace(PROJECT, root=ROOT / "packages/one", workspace=ROOT)
    assert only(venv=moved, environ={}, pythons=(), project=member).command == found.command
    alone = replace(member, workspace=None)
    assert only(venv=moved, environ={}, pythons=(), project=alone).command != found.command
    inside = only(venv=moved, pythons=(OnPath(program=LAUNCHER),), environ={})
    assert (inside.command, SHELL.name) == (AGAIN, "python3.13")
