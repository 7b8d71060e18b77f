"""What nixpy says where nixpy itself is wrong: one message, exit status 2, and no secret."""

from __future__ import annotations

import importlib
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import click
import pytest

import nixpy as package
import shop
from nixpy.cli.main import COMMANDS
from nixpy.core.errors import InputError
from nixpy.core.fault import Fault, as_error, described
from nixpy.project.discover import find_projects
from nixpy.project.project import read
from runner import Nixpy

RUN = [sys.executable, "-m", "nixpy"]
SECRET = "https://user:password@index.test/simple\x1b[31m"
ARGUMENTS = {"new": ["demo"], "package": ["demo"], "scan": ["demo"], "completion": ["bash"]}


def raising(error: BaseException) -> Any:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


def broken(name: str, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command `name` raise an exception."""
    command = importlib.import_module(f"nixpy.cli.{name}").command
    assert isinstance(command, click.Command)
    monkeypatch.setattr(command, "callback", raising(error))


@pytest.mark.parametrize(
    "error", [RuntimeError(SECRET), RecursionError(), MemoryError(), KeyError(SECRET), EOFError(SECRET)], ids=repr
)
@pytest.mark.parametrize("name", COMMANDS)
def test_an_exception_is_a_fault_of_nixpy(
    name: str, error: Exception, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One error says that it is a fault of nixpy, what it is and where, and with what to report it; no text of the
    exception is shown but with NIXPY_DEBUG=1, and then nothing that acts on a terminal.
    """
    broken(name, error, monkeypatch)
    ran = nixpy(name, *ARGUMENTS.get(name, []))
    assert ran.status == 2
    assert ran.out == ""
    first, second = ran.err.splitlines()
    assert first.startswith(f"error[NIX715]: this is a fault of nixpy: {type(error).__name__} in ")
    assert f"nixpy {package.__version__}, Python {platform.python_version()}" in second
    assert f"`nixpy {name}`" in second
    assert "NIXPY_DEBUG=1" in second
    assert "password" not in ran.err
    monkeypatch.setenv("NIXPY_DEBUG", "1")
    debugged = nixpy(name, *ARGUMENTS.get(name, []))
    assert debugged.status == 2
    assert debugged.err.startswith(ran.err)
    assert "Traceback (most recent call last)" in debugged.err
    assert "\x1b" not in debugged.err


def test_the_place_is_the_last_line_of_nixpy(nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where other code raises the exception, the message names the line of nixpy that called it."""
    monkeypatch.setattr("os.walk", raising(ValueError("walked")))
    ran = nixpy("check", "--all", tmp_path)
    assert "ValueError in core/read_file.py, line " in ran.err
    assert "`nixpy check --all`" in ran.err


def test_the_command_is_told_without_values() -> None:
    """A value may be a secret, so only the command and the names of options are told."""
    arguments = ["scan", "--python=3.13", "https://user:password@host", "--nixpkgs", "--Secret", "-x", "init"]
    assert described(arguments, [*COMMANDS]) == "nixpy scan --python --nixpkgs"
    assert described([], [*COMMANDS]) == "nixpy"


def test_other_errors_stay_what_they_are() -> None:
    """An error of the system names its file and is no fault; an error of nixpy is not touched."""
    known = InputError("known")
    assert as_error(known, command="nixpy") is known
    system = as_error(PermissionError(13, "Permission denied", "file"), command="nixpy")
    assert not isinstance(system, Fault)
    assert str(system) == "file: Permission denied"
    assert str(as_error(ValueError(), command="nixpy")).endswith("ValueError in an unknown place")


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A folder with three projects."""
    for name in ("a", "b", "c"):
        shop.project(tmp_path / name, extra="[tool.nixpy]\nstyle = 'loader'")
    return tmp_path


@pytest.mark.parametrize("form", ["text", "json", "github", "gitlab", "sarif", "markdown"])
@pytest.mark.parametrize("error", [RuntimeError(SECRET), PermissionError(13, "Permission denied")], ids=repr)
def test_check_of_all_goes_on(
    form: str, error: Exception, three: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project with the exception has the state error, with the fault as its reason; the others are checked."""
    assert nixpy("sync", three, "--all", "--offline").status == 0
    monkeypatch.setattr(
        "nixpy.commands.check.read", lambda folder: raising(error)() if folder.name == "b" else read(folder)
    )
    ran = nixpy("check", three, "--all", "--format", form)
    assert ran.status == 2
    word = "this is a fault of nixpy" if isinstance(error, RuntimeError) else "Permission denied"
    code = "NIX715" if isinstance(error, RuntimeError) else "NIX713"
    assert ran.err.startswith(f"error[{code}]: {three / 'b'}: {word}")
    assert "password" not in ran.err + ran.out
    if form == "json":
        assert [one["state"] for one in ran.json["projects"]] == ["fresh", "error", "fresh"]
        assert word in ran.json["projects"][1]["reasons"][0]
        assert [one["code"] for one in ran.json["projects"]] == [None, code, None]
    elif form != "text":
        assert word in ran.out


def test_sync_of_all_goes_on(three: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The project with the exception is reported, and the others are written."""
    real = package.plan

    def plan(project: package.Project, *arguments: Any, **options: Any) -> Any:
        return raising(RuntimeError(SECRET))() if project.root.name == "a" else real(project, *arguments, **options)

    monkeypatch.setattr(package, "plan", plan)
    ran = nixpy("sync", three, "--all", "--offline", "--format", "json")
    assert ran.status == 2
    assert ran.err.startswith(f"error[NIX715]: {three / 'a'}: this is a fault of nixpy: RuntimeError")
    assert [Path(one["folder"]).name for one in ran.json["projects"]] == ["b", "c"]
    assert [(three / name / "nixpy.nix").exists() for name in "abc"] == [False, True, True]


@pytest.mark.slow
def test_folders_in_folders(three: Path, nixpy: Nixpy) -> None:
    """Folders that are deeper than Python nests calls are looked through, and links to folders are not followed."""
    (three / "a/loop").symlink_to(three)
    made = [three / "deep"]
    while len(made) < 1_500:
        made.append(made[-1] / "d")
    for folder in made:
        folder.mkdir()
    try:
        assert find_projects(three) == (three / "a", three / "b", three / "c")
        assert "fault of nixpy" not in nixpy("check", three, "--all").err
        assert "RecursionError" not in nixpy("doctor", three).out
    finally:
        for folder in reversed(made):  # pytest removes folders by nested calls
            folder.rmdir()


@pytest.mark.parametrize(
    "text", ["[tool.nixpy]\na = " + "[" * 20_000, "[tool.nixpy]\na = " + "1" * 5_000], ids=["deep", "long"]
)
def test_a_hostile_project_does_not_hide_the_others(text: str, three: Path, nixpy: Nixpy) -> None:
    """A pyproject.toml that cannot be read is a project of --all, and its error keeps no other from being checked."""
    assert nixpy("sync", three, "--all", "--offline").status == 0
    (three / "b/pyproject.toml").write_text(text)
    assert find_projects(three) == (three / "a", three / "b", three / "c")
    ran = nixpy("check", three, "--all", "--format", "json")
    assert ran.status == 2
    assert [one["state"] for one in ran.json["projects"]] == ["fresh", "error", "fresh"]
    assert nixpy("sync", three, "--all", "--offline").status == 2


def test_an_interruption_is_no_fault(nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends with 130, and no fault is told."""
    broken("styles", KeyboardInterrupt(), monkeypatch)
    ran = nixpy("styles")
    assert ran.status == 130
    assert "interrupted" in ran.err
    assert "fault" not in ran.err


def test_a_program_that_cannot_be_loaded() -> None:
    """Where a module is missing, that is one message and exit status 2 as well."""
    code = "import sys; sys.modules['click'] = None; from nixpy.__main__ import run; run()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error[NIX715]: this is a fault of nixpy: ModuleNotFoundError in cli/main.py")
    assert len(done.stderr.splitlines()) == 2


def test_errors_that_cannot_be_told(tmp_path: Path) -> None:
    """Where standard error takes nothing, the exit status is that of a closed pipe, or 2; it is never 1."""
    reader, writer = os.pipe()
    os.close(reader)
    arguments = [*RUN, "check", str(tmp_path)]
    assert subprocess.run(arguments, stderr=writer, check=False).returncode == 141
    os.close(writer)
    closed = subprocess.run(["sh", "-c", '"$@" 2>&-', "sh", *arguments], check=False)
    assert closed.returncode == 2
    if Path("/dev/full").exists():
        with Path("/dev/full").open("w") as full:
            assert subprocess.run(arguments, stderr=full, check=False).returncode == 2
            assert subprocess.run(arguments, stderr=full, stdout=full, check=False).returncode == 2
