"""`nixpy doctor` starts no program of the project, whatever its virtual environment leads to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nixpy.doctor.examine import Report, examine
from nixpy.doctor.interpreter import outside

REAL = Path(os.path.realpath(sys.executable))


def environment(root: Path, home: Path | str, python: Path) -> Path:
    """Write a virtual environment whose `bin/python` is a link to `python`."""
    venv = root / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin/python").symlink_to(python)
    (venv / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")
    return venv


def program(path: Path, trap: Path) -> Path:
    """Write a program that makes the file `trap`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ntouch '{trap}'\n")
    path.chmod(0o755)
    return path


def standard_library(prefix: Path, trap: Path) -> None:
    """Write a standard library whose first module makes the file `trap`; there is no `open` that early."""
    library = prefix / f"lib/python{sys.version_info.major}.{sys.version_info.minor}"
    (library / "encodings").mkdir(parents=True)
    (library / "encodings/__init__.py").write_text(f"import posix\nposix.open({str(trap)!r}, posix.O_CREAT)\n")
    (library / "os.py").touch()
    (prefix / "bin").mkdir()


def looked(root: Path) -> Report:
    return examine(root, root / ".venv", {"PATH": os.environ["PATH"], "HOME": str(root)})


def reason(root: Path) -> str:
    """Return why the Python was not started."""
    report = looked(root)
    assert report.facts.started is None
    reasons = {skipped.reason for skipped in report.skipped if skipped.check == "libraries of wheels"}
    assert len(reasons) == 1
    return reasons.pop()


def test_a_python_outside_is_started(tmp_path: Path) -> None:
    """An environment that leads to a Python of the machine is looked at as before."""
    environment(tmp_path / "project", REAL.parent, REAL)
    started = looked(tmp_path / "project").facts.started
    assert started is not None
    assert started.version.startswith(f"{sys.version_info.major}.{sys.version_info.minor}")


@pytest.mark.parametrize("place", [".venv/bin/python3", "tools/python3", "sub/.venv/lib/python"])
def test_a_program_of_the_project_is_not_started(tmp_path: Path, place: str) -> None:
    """A program in the checkout is not started, and the report names it."""
    root = tmp_path / "project"
    evil = program(root / place, tmp_path / "trap")
    (root / ".venv/bin").mkdir(parents=True, exist_ok=True)
    (root / ".venv/bin/python").symlink_to(evil)
    (root / ".venv/pyvenv.cfg").write_text(f"home = {REAL.parent}\n")
    assert "nixpy does not start" in reason(root)
    assert str(evil) in reason(root)
    assert not (tmp_path / "trap").exists()


def test_a_program_beside_the_project_in_its_git_tree_is_not_started(tmp_path: Path) -> None:
    """The checkout is the whole git tree."""
    (tmp_path / "tree/.git").mkdir(parents=True)
    root = tmp_path / "tree/project"
    environment(root, REAL.parent, program(tmp_path / "tree/other/python", tmp_path / "trap"))
    assert "nixpy does not start" in reason(root)
    assert not (tmp_path / "trap").exists()


@pytest.mark.parametrize("relative", [False, True])
def test_a_home_in_the_project_is_not_used(tmp_path: Path, *, relative: bool) -> None:
    """With a `home` in the checkout a Python of the machine would run the project's standard library."""
    root = tmp_path / "project"
    standard_library(root / "evil", tmp_path / "trap")
    environment(root, "../evil/bin" if relative else root / "evil/bin", REAL)
    assert "its home is" in reason(root)
    assert not (tmp_path / "trap").exists()


def test_the_trap_works(tmp_path: Path) -> None:
    """Started through the environment, that Python runs the project's code, so that the test above would notice it."""
    root = tmp_path / "project"
    standard_library(root / "evil", tmp_path / "trap")
    venv = environment(root, root / "evil/bin", REAL)
    subprocess.run([venv / "bin/python", "-I", "-S", "-c", ""], capture_output=True, check=False)
    assert (tmp_path / "trap").exists()


def test_a_program_that_is_no_python_is_not_started(tmp_path: Path) -> None:
    """A link to another program of the machine is none either."""
    shell = shutil.which("sh")
    assert shell
    environment(tmp_path / "project", REAL.parent, Path(shell))
    assert "not named like a Python" in reason(tmp_path / "project")


def test_a_copy_of_a_python_is_not_started(tmp_path: Path) -> None:
    """`python -m venv --copies` puts the Python into the project. The same file outside is started instead, and for a
    file that is not the same, none.
    """
    environment(tmp_path / "project", REAL.parent, REAL)
    python = tmp_path / "project/.venv/bin/python"
    python.unlink()
    shutil.copy2(REAL, python)
    assert outside(python, str(REAL.parent), [tmp_path]) == REAL
    assert looked(tmp_path / "project").facts.started is not None
    for home in (str(tmp_path), str(tmp_path / "project/.venv/bin"), None):
        with pytest.raises(ValueError, match="in the project's own files"):
            outside(python, home, [tmp_path])
    with python.open("ab") as file:
        file.write(b"x")
    with pytest.raises(ValueError, match="in the project's own files"):
        outside(python, str(REAL.parent), [tmp_path])
