"""The matrix: what each style promises, seen in its development shell in the box."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from nixos.box.shells import FLAKE, WORK, Shell, nixpy, write_project

pytestmark = pytest.mark.box

VENV = f"{WORK}/.venv"
PROJECTS = {
    "numpy": "numpy",
    "pandas": "pandas",
    "PIL.Image": "pillow",
    "psycopg2": "psycopg2-binary",
    "pydantic_core": "pydantic-core",
}
# What a loader, or a root, has without being given it. A module that needs no more proves nothing about a style.
GIVEN = {"libgcc_s.so.1"}
GIVEN_IN_FHS = {"libgcc_s.so.1", "libstdc++.so.6"}


@pytest.fixture(scope="module")
def found(shell: Shell) -> dict[str, Any]:
    """What the probe reports."""
    return shell.probe()


def test_every_module_is_imported_from_the_venv(found: dict[str, Any]) -> None:
    """numpy, pandas, Pillow, psycopg2 and pydantic-core are imported from their wheels."""
    assert set(found["modules"]) == set(PROJECTS)
    for name, module in found["modules"].items():
        assert module.get("file", "").startswith(f"{VENV}/lib/"), (name, module)


def test_only_the_store_and_the_venv_are_mapped(shell: Shell, found: dict[str, Any]) -> None:
    """Everything that is mapped into the process lies in the store or in the venv; in a root, in its /usr."""
    roots = ("/nix/store/", f"{VENV}/", *(["/usr/"] if shell.style.name == "fhs" else []))
    assert [path for path in found["maps"] if path.startswith("/") and not path.startswith((*roots, "/dev/"))] == []
    assert any("libstdc++" in path for path in found["maps"])


def test_the_venv_is_one(shell: Shell, found: dict[str, Any]) -> None:
    """sys.prefix and sys.executable are the venv's, sys.base_prefix is the interpreter's."""
    assert found["prefix"] == VENV
    assert found["executable"] == f"{VENV}/bin/python"
    assert found["base_prefix"].startswith("/usr" if shell.style.name == "fhs" else "/nix/store/")


def test_a_spawned_process_is_the_same(found: dict[str, Any]) -> None:
    """A process that multiprocessing spawns, and sys.executable as a program, import numpy in the same venv."""
    module, prefix, executable = found["spawned"]
    assert module.startswith(f"{VENV}/lib/")
    assert (prefix, executable) == (VENV, f"{VENV}/bin/python")
    assert found["started"] == VENV


def test_what_python_starts_inherits_no_search_path(shell: Shell, found: dict[str, Any]) -> None:
    """LD_LIBRARY_PATH is unset in a child exactly where the style says that nothing leaks; nothing else of Nix's
    builds is set either.
    """
    environment = found["environment"]
    assert ("LD_LIBRARY_PATH" not in environment) == shell.style.leak_free
    for name in ("PYTHONPATH", "SOURCE_DATE_EPOCH", "PYTHONHASHSEED", "DETERMINISTIC_BUILD"):
        assert name not in environment


def test_a_newer_program_survives_where_nothing_leaks(shell: Shell, built: dict[str, Path]) -> None:
    """A program of the store that needs a newer libstdc++ runs from the shell, and from inside Python exactly where the
    style says that nothing leaks; elsewhere it is given the older one and dies.
    """
    ninja = f"{built['newer-ninja']}/bin/ninja"
    assert shell.run(f"{ninja} --version").stdout.splitlines()[-1][0].isdigit()
    program = f"import subprocess; subprocess.run(['{ninja}', '--version'], check=True)"
    done = shell.run(f'.venv/bin/python -c "{program}"', check=False)
    assert (done.returncode == 0) == shell.style.leak_free
    assert ("version `GLIBCXX_" in done.stderr) != shell.style.leak_free


def test_a_console_script_runs(shell: Shell) -> None:
    """The script that numpy's wheel declares starts on its shebang and knows its package."""
    printed = shell.run(".venv/bin/numpy-config --version").stdout.split()
    assert printed[-1][0].isdigit()


def test_a_program_of_a_wheel_runs_where_promised(shell: Shell) -> None:
    """A program (ruff) starts exactly under the styles that promise programs inside wheels."""
    done = shell.run(".venv/bin/ruff --version", check=False)
    assert (done.returncode == 0) == shell.style.executables
    assert ("ruff " in done.stdout) == shell.style.executables


def test_direnv_gets_a_python_that_finds_the_libraries(shell: Shell) -> None:
    """With what `nix print-dev-env` prints, which direnv sources into a shell that is not interactive, the command
    `python` finds the libraries and the shell goes on.
    """
    printed = shell.box.nix("print-dev-env", "--offline", "--no-write-lock-file", f"path:{FLAKE}", cwd=WORK).stdout
    (shell.box.home / "environment.sh").write_text(printed)
    program = 'import ctypes; ctypes.CDLL("libz.so.1"); ctypes.CDLL("libstdc++.so.6"); print("found")'
    script = f"source ../environment.sh; python -c '{program}'; echo still here"
    assert shell.box.run("/run/current-system/sw/bin/bash", "-c", script, cwd=WORK).stdout.split("\n")[-3:] == [
        "found",
        "still here",
        "",
    ]


def test_the_check_builds(shell: Shell) -> None:
    """`checks.<system>.libraries` builds where every package has the soname it is named for."""
    done = shell.build_check()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("right", "wrong"), [('"libz.so.1" =', '"libz.so.7" ='), ("= pkgs.zlib;", "= pkgs.bzip2;")])
def test_the_check_fails_on_a_wrong_row(shell: Shell, right: str, wrong: str) -> None:
    """With a soname or a package that is not right it fails, and names the row."""
    file = shell.folder / "nixpy.nix"
    text = file.read_text()
    assert right in text
    try:
        file.write_text(text.replace(right, wrong))
        done = shell.build_check()
    finally:
        file.write_text(text)
    assert done.returncode != 0
    assert re.search(r"libz\.so\.\d is not in /nix/store/\S+-(zlib|bzip2)", done.stderr), done.stderr


def test_without_the_list_the_same_imports_fail(shell: Shell) -> None:
    """With all libraries ignored, the shell entered again, and the same venv, each module that needs more than what
    is there anyway fails on a soname that nixpy had named for it or for what it imports.
    """
    given = GIVEN_IN_FHS if shell.style.name == "fhs" else GIVEN
    everything = frozenset().union(*shell.sonames.values())
    before = {path: path.read_bytes() for path in shell.folder.iterdir()}
    try:
        write_project(shell.folder, ignored=everything)
        nixpy(shell.folder, "sync")
        modules = shell.probe()["modules"]
    finally:
        for path, content in before.items():
            path.write_bytes(content)
    failing = {name for name, project in PROJECTS.items() if shell.sonames.get(project, frozenset()) - given}
    assert failing >= {"PIL.Image", "psycopg2"}
    assert {name for name, module in modules.items() if "error" in module} == failing
    for name in failing:
        soname = re.search(r"(\S+): cannot open shared object file", modules[name]["error"])
        assert soname is not None, modules[name]
        assert soname[1] in everything - given


def test_the_shell_goes_on_with_the_list(shell: Shell) -> None:
    """After all that, the shell of before imports everything again: what failed was the list."""
    assert all("file" in module for module in shell.probe()["modules"].values())
