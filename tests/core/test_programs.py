"""The programs that nixpy starts: one module starts them, by an absolute path, and never one of the working folder."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

import nixpy
from nixpy.core import programs

PACKAGE = Path(nixpy.__file__).parent
STARTS = {
    "subprocess",
    "pty",
    "multiprocessing",
    "asyncio.subprocess",
    "_posixsubprocess",
}
CALLS = {"system", "popen", "posix_spawn", "posix_spawnp", "startfile", "fork", "forkpty"}


def starts(source: str) -> set[str]:
    """Return the names in a module's text by which it could start a program."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & STARTS
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} & STARTS
            found |= {alias.name for alias in node.names} & CALLS
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in {"os", "posix"}:
            found |= {node.attr} & CALLS
            found |= {node.attr} if node.attr.startswith(("exec", "spawn")) else set()
    return found


def test_no_other_module_starts_programs() -> None:
    """Of all modules of nixpy only this one has a name by which programs are started."""
    modules = {str(path.relative_to(PACKAGE)): starts(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")}
    assert {path: names for path, names in modules.items() if names} == {"core/programs.py": {"subprocess"}}


@pytest.mark.parametrize(
    "source",
    ["import subprocess", "from subprocess import run", "import os\nos.execv('a', [])", "from os import system"],
)
def test_a_module_that_starts_one_is_noticed(source: str) -> None:
    """The test above can fail."""
    assert starts(source)


def stand_in(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_first_absolute_entry_of_path_has_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries that start at the working folder are left out, the empty one too, which means that folder."""
    stand_in(tmp_path / "project", "git", "exit 1")
    stand_in(tmp_path / "project/bin", "git", "exit 1")
    first = stand_in(tmp_path / "first", "git", "exit 0")
    stand_in(tmp_path / "second", "git", "exit 0")
    monkeypatch.chdir(tmp_path / "project")
    path = os.pathsep.join(["", ".", "bin", str(tmp_path / "first"), str(tmp_path / "second")])
    assert programs.find("git", {"PATH": path}) == first
    assert programs.find("git", {"PATH": "bin"}) is None
    assert programs.find("git", {}) is None


def test_a_program_gets_no_relative_entry_of_path_and_no_input(tmp_path: Path) -> None:
    """What it starts itself is none of the working folder's programs either."""
    program = stand_in(tmp_path, "git", 'echo "$PATH:$1"; cat; exit 3')
    done = programs.run("git", program, ["; touch x"], environ={"PATH": f".:bin:{os.defpath}"}, cwd=tmp_path)
    absolute = ":".join(entry for entry in os.defpath.split(":") if entry)
    assert (done.returncode, done.stdout) == (3, f"{absolute}:; touch x\n")
    assert not (tmp_path / "x").exists()


def test_a_relative_program_is_not_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that starts at the working folder is refused."""
    stand_in(tmp_path, "git", "touch trap")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="absolute"):
        programs.run("git", Path("git"), [])
    assert not (tmp_path / "trap").exists()


def test_a_program_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """The time is limited where the caller says so."""
    program = stand_in(tmp_path, "git", "exec sleep 60")
    with pytest.raises(programs.SubprocessError):
        programs.run("git", program, [], timeout=0.2)
