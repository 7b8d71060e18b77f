"""Checks of the Python, on facts: each with both answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from doctor.world import (
    BARE,
    HOST,
    LAUNCHER,
    LOADER,
    OTHER,
    PROJECT,
    ROOT,
    SHELL,
    VENV,
    WELL,
    codes,
    only,
    program,
    venv,
)
from nixpy.doctor.facts import OnPath, PackagesCall, Program

PYTHON = ROOT / ".venv/bin/python"


def test_nothing_is_wrong_where_nothing_is() -> None:
    """The facts that all other tests change give no finding."""
    assert codes() == []


def test_packages_of_the_lock_are_installed() -> None:
    """NIX401 names what is missing, where else it is, and the manager's command; more than the lock is no harm."""
    found = only(project=replace(PROJECT, locked=frozenset({"numpy", "scipy"})))
    assert (found.code, found.packages, found.command) == ("NIX401", ("scipy",), "uv sync")
    assert found.message == f"scipy of uv.lock is not installed in {ROOT}/.venv"
    user = only(project=replace(PROJECT, locked=frozenset({"scipy"})), user_packages=frozenset({"scipy"}))
    assert "scipy is installed for the user" in user.message
    assert codes(venv=replace(VENV, packages=frozenset({"numpy", "pip"}))) == []


def test_packages_of_the_shell_by_their_own_names() -> None:
    """Under with-packages NIX401 names what nixpkgs or a wheel supplies: not what neither has, and not psycopg2-binary,
    in whose place nixpkgs has psycopg2; under wheel-env all.
    """
    asked = frozenset({"numpy", "house", "nobodys", "psycopg2-binary"})
    project = replace(PROJECT, style="with-packages", packages=asked, wheels=frozenset({"house"}))
    there = OnPath(program=LAUNCHER, packages=frozenset({"numpy", "psycopg2"}))
    assert only(project=project, pythons=(there,)).packages == ("house",)
    full = replace(there, packages=there.packages | {"house"})
    assert codes(project=project, pythons=(full,)) == []
    found = only(project=replace(project, style="wheel-env"), pythons=(full,))
    assert found.packages == ("nobodys", "psycopg2-binary")


def test_a_lock_goes_before_what_is_asked_for() -> None:
    """What the lock installs here counts, not what the project asks for on other systems."""
    assert codes(project=replace(PROJECT, packages=frozenset({"numpy", "pywin32"}))) == []
    assert codes(project=replace(PROJECT, locked=None, packages=frozenset({"numpy", "scipy"}))) == ["NIX401"]


@pytest.mark.parametrize(
    ("install", "command"),
    [
        ("uv sync", "uv sync"),
        ("poetry install", "python -m venv --clear .venv && poetry install"),
        ("uv pip sync pylock.toml", "uv venv --clear .venv && uv pip sync pylock.toml"),
        (
            ".venv/bin/python -m pip install -r requirements.txt",
            "python -m venv --clear .venv && .venv/bin/python -m pip install -r requirements.txt",
        ),
    ],
)
def test_no_virtual_environment(install: str, command: str) -> None:
    """NIX401 makes one first where the manager does not; with nothing to install, none is missed."""
    found = only(venv=None, started=None, project=replace(PROJECT, install=install))
    assert (found.code, found.command) == ("NIX401", command)
    assert codes(venv=None, started=None, project=replace(PROJECT, locked=frozenset())) == []


def test_no_virtual_environment_and_no_shell() -> None:
    """Where no shell was entered NIX401 enters it, if that fills the environment which was asked about."""
    outside: dict[str, Any] = {"venv": None, "started": None, "environ": {}, "pythons": ()}
    assert only(**outside).command == "nix develop"
    assert only(**outside, project=replace(PROJECT, fills=False)).command == "uv sync"
    assert only(**outside, venv_folder=Path("/other/venv")).command == "UV_PROJECT_ENVIRONMENT=/other/venv uv sync"


def test_an_environment_elsewhere_is_filled_there() -> None:
    """The commands are for the environment that was asked about."""
    missing = replace(PROJECT, locked=frozenset({"scipy"}))
    other = replace(VENV, folder=Path("/other/venv"))
    assert only(venv=other, project=missing).command == "UV_PROJECT_ENVIRONMENT=/other/venv uv sync"
    pip = replace(missing, install=".venv/bin/python -m pip install -r requirements.txt")
    assert only(venv=other, project=pip).command == "/other/venv/bin/python -m pip install -r requirements.txt"


def test_the_first_python_on_path() -> None:
    """NIX402 names both Pythons and the entry; the shell's or the environment's first is right."""
    other = OnPath(program=program(OTHER.with_name("python"), OTHER))
    found = only(pythons=(other, OnPath(program=LAUNCHER)))
    assert (found.code, found.command) == ("NIX402", f"export PATH={SHELL.parent}:$PATH")
    assert f"`python` is {OTHER.parent}/python, because {OTHER.parent} comes first on PATH" in found.message
    assert f"nixpy's shell is {SHELL.parent}/python" in found.message
    assert codes(pythons=(OnPath(program=LAUNCHER), other)) == []
    active = OnPath(program=VENV.python)
    assert codes(pythons=(active, OnPath(program=LAUNCHER), other)) == []
    assert "the Python of the virtual environment is" in only(pythons=(OnPath(program=LAUNCHER), active)).message


def test_the_python_with_the_packages() -> None:
    """NIX402, as of two withPackages the wrong one wins: the one with more of what the project asks for is right."""
    first = OnPath(program=program("/nix/store/a-yosys/bin/python"))
    second = OnPath(program=program(OTHER.with_name("python"), OTHER), packages=frozenset({"numpy"}))
    without: dict[str, Any] = {
        "venv": None,
        "started": None,
        "environ": {},
        "project": replace(PROJECT, locked=frozenset()),
    }
    found = only(pythons=(first, second), **without)
    assert (found.code, found.command) == ("NIX402", f"export PATH={OTHER.parent}:$PATH")
    assert codes(pythons=(second, first), **without) == []
    # Where there is a .venv, they are in there.
    assert codes(pythons=(first, second), environ={}) == []


def test_another_environment_is_active(tmp_path: Path) -> None:
    """NIX402 where VIRTUAL_ENV is another one; its own, however it is spelled, is right."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    own = replace(VENV, folder=tmp_path / "real")
    found = only(venv=own, environ={"VIRTUAL_ENV": "/elsewhere"})
    assert (found.code, found.command) == ("NIX402", f"source {tmp_path}/real/bin/activate")
    assert codes(venv=own, environ={"VIRTUAL_ENV": str(tmp_path / "link")}) == []


@pytest.mark.parametrize(
    ("builder", "at", "command"),
    [
        ("buildPythonApplication", 3, "sed -i '3s/buildPythonApplication/buildPythonPackage/' /b/x.nix"),
        ("buildPythonApplication", None, "sed -i 's/buildPythonApplication/buildPythonPackage/' /b/x.nix"),
        ("mkDerivation", 3, "${EDITOR:-vi} +3 /b/x.nix"),
    ],
)
def test_an_application_in_with_packages(builder: str, at: int | None, command: str) -> None:
    """NIX403 names place, package and builder; the command is for where it is built."""
    applied = PackagesCall(
        name="x", builder=builder, file=Path("/b/env.nix"), line=9, made_in=Path("/b/x.nix"), made_at=at
    )
    found = only(applied=(applied,))
    assert (found.code, found.packages, found.command) == ("NIX403", ("x",), command)
    assert found.message.startswith(f"/b/env.nix:9: x is built by {builder}")


def test_a_bypassed_wrapper() -> None:
    """NIX405 where the .venv is what the shell's wrapper wraps; the command links where the environment is left."""
    bypassing = venv(program(PYTHON, PYTHON.with_name("python3"), BARE), leaves=PYTHON.with_name("python3"))
    found = only(venv=bypassing)
    assert found.code == "NIX405"
    assert found.command.startswith(f"ln -sfn {SHELL} {ROOT}/.venv/bin/python3 && sed -i ")
    assert f"|home = {SHELL.parent}|" in found.command
    # Where the shell's Python is none, the bare interpreter is right.
    bare = OnPath(program=program(BARE.with_name("python"), BARE))
    assert codes(venv=bypassing, pythons=(bare,)) == []


def test_an_interpreter_that_is_gone() -> None:
    """NIX406 links anew to the shell's of the same version, makes anew for another, enters the shell from outside."""
    gone = venv(program(PYTHON, OTHER, exists=False))
    found = only(venv=gone, started=None)
    assert found.code == "NIX406"
    assert found.command.startswith(f"ln -sfn {SHELL} {PYTHON} && sed -i ")
    older = only(venv=replace(gone, versions=("3.12",)), started=None)
    assert older.command == f"rm -r {ROOT}/.venv && uv sync"
    assert only(venv=gone, started=None, pythons=(), environ={}).command == "nix develop"
    unmanaged = replace(PROJECT, uses_nixpy=False)
    assert only(venv=gone, started=None, pythons=(), project=unmanaged).command == f"rm -r {ROOT}/.venv && uv sync"


def test_a_loader_that_is_gone() -> None:
    """NIX406 where a copied interpreter asks for a loader of the store that was collected."""
    found = only(venv=venv(program(PYTHON, loader=Path("/nix/store/gone/lib/ld.so"))), started=None)
    assert (found.code, "/nix/store/gone/lib/ld.so, which does not exist" in found.message) == ("NIX406", True)


def test_a_root_that_is_not_entered() -> None:
    """NIX406 of style fhs: outside, the command goes in."""
    fhs = replace(PROJECT, style="fhs")
    outside = venv(program(PYTHON, "/usr/bin/python3.13", exists=False))
    assert only(venv=outside, started=None, project=fhs).command == "nixpy-fhs nixpy doctor"
    assert only(venv=outside, started=None).command != "nixpy-fhs nixpy doctor"


def test_the_interpreter_of_the_shell() -> None:
    """NIX406 where both are of the store and not the same; a foreign Python, or no shell, is no reason."""
    other = venv(program(PYTHON, OTHER))
    assert only(venv=other).code == "NIX406"
    assert codes(venv=other, pythons=(), environ={}) == []
    assert codes(venv=venv(program(PYTHON, "/home/user/.local/share/uv/python3.13"))) == []
    system = OnPath(program=program("/run/current-system/sw/bin/python", BARE))
    assert codes(venv=other, pythons=(system,), environ={}) == []


def test_packages_of_another_version() -> None:
    """NIX406 where lib/ is for another Python than the one that answers."""
    assert only(venv=replace(VENV, versions=("3.12",))).message.endswith("are installed for Python 3.12")
    assert codes(venv=replace(VENV, versions=("3.12", "3.13"))) == []


@pytest.mark.parametrize(("at_loader", "expected"), [("stub", ["NIX412"]), ("none", ["NIX412"]), ("nix-ld", [])])
def test_a_python_that_uv_brought(at_loader: Any, expected: list[str]) -> None:
    """NIX412 where the host has no loader for it."""
    theirs: Program = program(PYTHON, "/home/user/.local/share/uv/python/bin/python3.13", loader=LOADER)
    assert codes(venv=venv(theirs), started=None, host=replace(HOST, at_loader=at_loader)) == expected


def test_a_root_has_a_python_of_its_own() -> None:
    """In a root of style fhs the first Python of PATH is the right one, whoever follows."""
    inside = OnPath(program=program("/usr/bin/python", "/usr/bin/python3.13"))
    root = venv(program(PYTHON, "/usr/bin/python3.13"))
    assert codes(venv=root, pythons=(inside, OnPath(program=LAUNCHER)), environ={"NIXPY_FHS": "1"}) == []
    assert WELL.in_root is False


def test_a_module_that_the_python_lacks() -> None:
    """The command enables the feature and enters the shell; with the feature, it only enters the shell."""
    who = {"tkinter": ("gui.py", "customtkinter")}
    found = only(importing=who)
    said = "gui.py, customtkinter import tkinter, which the Python of /home/user/demo/.venv lacks"
    assert (found.code, found.level, found.message) == ("NIX432", "warning", said)
    assert found.command == "nixpy init --feature tkinter && nix develop"
    enabled = replace(PROJECT, features=frozenset({"tkinter"}))
    assert only(importing=who, project=enabled).command == "nix develop"
    foreign = venv(program(ROOT / ".venv/bin/python", "/usr/bin/python3.13"))
    outside = only(importing=who, venv=foreign, environ={}, pythons=())
    assert outside.command == "nixpy init --feature tkinter && rm -r /home/user/demo/.venv && nix develop"
    new = replace(PROJECT, uses_nixpy=False, fills=False)
    assert only(importing=who, venv=foreign, environ={}, pythons=(), project=new).command == outside.command
    assert codes(importing=who, project=replace(PROJECT, style="micromamba")) == []
