"""The programs that nixpy starts: one module starts them, by an absolute path, and never one of the working folder."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

import nixpy
from nixpy.core import programs, templates

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


def test_one_program_of_the_templates_starts_another() -> None:
    """Of the Python programs that styles bring along, patch_venv.py starts patchelf; `nixpy patch` runs it, too."""
    found = {path.name: starts(path.read_text("utf-8")) for path in templates.path().rglob("*.py")}
    assert {"patch_venv.py", "find_library.py"} <= found.keys()
    assert {name for name, names in found.items() if names} == {"patch_venv.py"}
    tree = ast.parse(templates.path("nix/programs/patch_venv.py").read_text("utf-8"))
    calls = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "subprocess.run"
    ]
    assert [ast.unparse(call.args[0]).partition(",")[0] for call in calls] == ["[settings.patchelf"]


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
    assert programs.find("git", {"PATH": path}, project=tmp_path / "project") == first
    assert programs.find("git", {"PATH": "bin"}, project=tmp_path) is None
    assert programs.find("git", {}, project=tmp_path) is None


def test_a_program_gets_no_relative_entry_of_path_and_no_input(tmp_path: Path) -> None:
    """What it starts itself is none of the working folder's programs either."""
    program = stand_in(tmp_path, "git", 'echo "$PATH:$1"; cat; exit 3')
    done = programs.run(
        "git", program, ["; touch x"], project=tmp_path, environ={"PATH": f".:bin:{os.defpath}"}, cwd=tmp_path
    )
    absolute = ":".join(entry for entry in os.defpath.split(":") if entry)
    assert (done.returncode, done.stdout) == (3, f"{absolute}:; touch x\n")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("place", ["project", "project/.venv/bin", "project/../project/bin", "beside/bin"])
def test_a_program_of_the_checkout_is_not_found(tmp_path: Path, place: str) -> None:
    """Absolute folders of PATH that lie in the project's git tree are left out as well, and the first one is named."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "project").mkdir()
    stand_in(tmp_path / place, "git", "exit 1")
    path = {"PATH": f"{tmp_path / place}{os.pathsep}/nonexistent"}
    assert programs.find("git", path, project=tmp_path / "project") is None
    assert programs.left_out("git", path, project=tmp_path / "project") == tmp_path / place / "git"
    assert programs.search_path(path, tmp_path / "project") == "/nonexistent"


def test_a_home_in_git_is_no_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs of a user who keeps the home folder in git are found; those of the project still are not."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".git").mkdir()
    own = stand_in(tmp_path / ".local/bin", "git", "exit 0")
    foreign = stand_in(tmp_path / "project/bin", "git", "exit 1")
    path = {"PATH": f"{foreign.parent}{os.pathsep}{own.parent}"}
    assert programs.find("git", path, project=tmp_path / "project") == own


def test_a_link_into_the_checkout_is_not_found(tmp_path: Path) -> None:
    """A program or a folder elsewhere that is a link into the checkout is not found, nor is a link out of it."""
    inside = stand_in(tmp_path / "project/bin", "git", "exit 1")
    outside = stand_in(tmp_path / "outside", "git", "exit 0")
    (tmp_path / "linked").symlink_to(inside.parent)
    (tmp_path / "links").mkdir()
    (tmp_path / "links/git").symlink_to(inside)
    (tmp_path / "project/out").symlink_to(outside.parent)
    folders = [tmp_path / "linked", tmp_path / "links", tmp_path / "project/out", outside.parent]
    path = {"PATH": os.pathsep.join(map(str, folders))}
    assert programs.find("git", path, project=tmp_path / "project") == outside
    assert programs.search_path(path, tmp_path / "project") == f"{tmp_path / 'links'}{os.pathsep}{outside.parent}"


def test_the_environment_of_nixpy_is_no_part_of_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If nixpy is installed in the project's `.venv`, its code runs already, and so may the uv beside it."""
    program = stand_in(tmp_path / ".venv/bin", "uv", "exit 0")
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(program.parent))
    assert programs.find("uv", {"PATH": str(program.parent)}, project=tmp_path) == program


def test_a_relative_program_is_not_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that starts at the working folder is refused."""
    stand_in(tmp_path, "git", "touch trap")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="absolute"):
        programs.run("git", Path("git"), [], project=tmp_path)
    assert not (tmp_path / "trap").exists()


def test_a_program_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """The time is limited where the caller says so."""
    program = stand_in(tmp_path, "git", "exec sleep 60")
    with pytest.raises(programs.SubprocessError):
        programs.run("git", program, [], project=tmp_path, timeout=0.2)


def test_a_program_without_end_is_one_clear_line(tmp_path: Path) -> None:
    """The message names the program and the time, not the command."""
    program = stand_in(tmp_path, "git", "exec sleep 60")
    with pytest.raises(programs.SubprocessError) as caught:
        programs.run("git", program, ["secret"], project=tmp_path, timeout=0.1)
    assert str(caught.value) == f"{program} does not end within 0.1 seconds"
