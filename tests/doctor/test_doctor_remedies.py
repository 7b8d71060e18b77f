"""The commands that `nixpy doctor` names, run by a shell with the real uv: after them, the diagnostic is gone."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from doctor.machine import MINOR, Machine
from elfbuild import elf
from realuv import RealUv
from smallindex import SmallIndex, build_wheel

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="needs a glibc loader")]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallIndex]:
    """An index with `pure`, which has a script, and `native`, which needs a library that few machines have."""
    folder = tmp_path_factory.mktemp("wheels")
    scripts = {"pure.py": "def main(): print('pure')\n", "pure-1.0.dist-info/entry_points.txt": ENTRY}
    build_wheel(folder, "pure", "1.0", files=scripts)
    core = {"native/core.abi3.so": elf(needed=["libodbc.so.2"])}
    build_wheel(folder, "native", "1.0", "py3-none-manylinux_2_17_x86_64", files=core)
    with SmallIndex(folder) as index:
        yield index


ENTRY = "[console_scripts]\npure = pure:main\n"


@pytest.fixture
def machine(tmp_path: Path, wheels: SmallIndex, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A project with a lock and a .venv, as uv makes them."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "demo"\nversion = "1"\nrequires-python = ">={MINOR}"\ndependencies = ["pure"]\n'
    )
    cache = tmp_path_factory.getbasetemp() / "uv-cache"
    made = Machine(folder=folder, tool=RealUv(folder=tmp_path, index_url=wheels.url, cache=cache))
    made.run("uv lock --quiet && uv sync --quiet")
    assert made.doctor() == {}
    return made


def no_config(venv: Path) -> None:
    (venv / "pyvenv.cfg").unlink()


def garbage(venv: Path) -> None:
    (venv / "bin/python").unlink()
    (venv / "bin/python").write_text("garbage")
    (venv / "bin/python").chmod(0o755)


def not_executable(venv: Path) -> None:
    (venv / "bin/python").unlink()
    shutil.copy2(os.path.realpath(sys.executable), venv / "bin/python")
    (venv / "bin/python").chmod(0o644)


def dangling(venv: Path) -> None:
    (venv / "bin/python").unlink()
    (venv / "bin/python").symlink_to("/nowhere/python3")


def older(venv: Path) -> None:
    config = (venv / "pyvenv.cfg").read_text()
    (venv / "pyvenv.cfg").write_text(config.replace(f"version_info = {MINOR}", "version_info = 3.9"))


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (no_config, "NIX428"),
        (garbage, "NIX428"),
        (not_executable, "NIX428"),
        (dangling, "NIX406"),
        (older, "NIX430"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_damaged_environment(machine: Machine, damage: Callable[[Path], None], code: str) -> None:
    """It is found, the command creates it again, and the program runs."""
    damage(machine.folder / ".venv")
    found = machine.doctor()
    assert list(found) == [code], found
    assert machine.doctor(found[code]["command"]) == {}
    assert machine.run(".venv/bin/pure").stdout == "pure\n"


@pytest.mark.parametrize("active", [False, True])
def test_a_moved_environment(machine: Machine, *, active: bool) -> None:
    """NIX429 after the project was moved, also with the old path in VIRTUAL_ENV; the scripts run again."""
    old = machine.folder
    new = machine.folder.with_name("moved")
    old.rename(new)
    moved = Machine(folder=new, tool=machine.tool)
    entered = "source .venv/bin/activate" if active else ":"
    found = moved.doctor(entered)
    assert list(found) == ["NIX429"], found
    assert str(old / ".venv") in found["NIX429"]["message"]
    assert moved.doctor(f"{entered}; {found['NIX429']['command']}") == {}
    assert moved.run(".venv/bin/pure").stdout == "pure\n"
    # A link to the folder is no other folder, and a relocatable environment may be moved.
    old.symlink_to(new)
    assert Machine(folder=old, tool=machine.tool).doctor() == {}
    moved.run("uv venv --quiet --clear --relocatable && uv sync --quiet")
    new.rename(new.with_name("third"))
    third = Machine(folder=new.with_name("third"), tool=machine.tool)
    assert third.doctor() == {}
    assert third.run(".venv/bin/pure").stdout == "pure\n"


def test_an_environment_that_pip_fills(machine: Machine) -> None:
    """With manager pip, the command creates it with venv and fills it with pip."""
    for name in ("uv.lock", "pyproject.toml"):
        (machine.folder / name).unlink()
    (machine.folder / "requirements.txt").write_text("pure\n")
    (machine.folder / "nixpy.toml").write_text('manager = "pip"\nstyle = "loader"\n')
    no_config(machine.folder / ".venv")
    inside = f"export IN_NIX_SHELL=impure PIP_INDEX_URL={machine.tool.index_url} PIP_NO_INDEX=0 PIP_FIND_LINKS="
    found = machine.doctor(inside)["NIX428"]
    assert "python -m venv --clear .venv && .venv/bin/python -m pip install" in found["command"]
    assert "NIX428" not in machine.doctor(f"{inside}; {found['command']}")
    assert machine.run(".venv/bin/pure").stdout == "pure\n"


def test_a_lock_that_is_not_toml(machine: Machine) -> None:
    """NIX426 names the line; the command locks again. Of pyproject.toml, the command opens the line in an editor."""
    (machine.folder / "uv.lock").write_text("version = 1\n<<<<<<< HEAD\n")
    found = machine.doctor()
    assert list(found) == ["NIX426"]
    assert f"{machine.folder}/uv.lock:2: " in found["NIX426"]["message"]
    assert machine.doctor(found["NIX426"]["command"]) == {}
    pyproject = machine.folder / "pyproject.toml"
    text = pyproject.read_text()
    pyproject.write_text(f"{text}dependencies\n")
    found = machine.doctor()
    assert list(found) == ["NIX426"]
    # In the place of an editor: the line is deleted.
    (machine.folder / "editor").write_text('#!/bin/sh\nsed -i "${1#+}d" "$2"\n')
    (machine.folder / "editor").chmod(0o755)
    assert machine.doctor(f"EDITOR=./editor; {found['NIX426']['command']}") == {}
    assert pyproject.read_text() == text


def test_an_active_environment_of_conda(machine: Machine) -> None:
    """NIX431: uv installs into CONDA_PREFIX; after the command it installs into .venv."""
    conda = machine.folder.with_name("science")
    machine.run(f"uv venv --quiet {conda} && rm {conda}/pyvenv.cfg && mkdir {conda}/conda-meta")
    entered = f"export CONDA_PREFIX={conda} CONDA_DEFAULT_ENV=science PATH={conda}/bin:$PATH; unset UV_PYTHON"
    found = machine.doctor(entered)
    assert list(found) == ["NIX431"], found
    where = "uv pip list -v 2>&1 | grep 'Found `'"
    assert f"{conda}/bin/python" in machine.run(f"{entered}; {where}").stdout
    activated = f"{entered}; {found['NIX431']['command']}"
    assert machine.doctor(activated) == {}
    assert f"{machine.folder}/.venv/bin/python" in machine.run(f"{activated}; {where}").stdout
    # uv treats the base environment as a Python of the system.
    base = entered.replace("=science PATH", "=base PATH").replace(f"PATH={conda}/bin:$PATH", "PATH=$PATH")
    assert machine.doctor(base) == {}
    assert f"{machine.folder}/.venv/bin/python" in machine.run(f"{base}; {where}").stdout


def test_a_python_that_uv_installed(machine: Machine) -> None:
    """The command of NIX413 keeps uv from a Python that it installed before; UV_PYTHON_DOWNLOADS alone does not."""
    own = machine.folder.with_name("own")
    version = ".".join(map(str, sys.version_info[:3]))
    python = own / f"cpython-{version}-linux-x86_64-gnu/bin"
    python.mkdir(parents=True)
    for name in ("python", "python3", f"python{MINOR}"):
        (python / name).symlink_to(os.path.realpath(sys.executable))
    entered = f"unset UV_PYTHON; export UV_PYTHON_INSTALL_DIR={own}"
    find = "uv python find --system -v 2>&1"
    assert f"`{python}" in machine.run(f"{entered}; export UV_PYTHON_DOWNLOADS=never; {find}").stdout
    assert f"`{python}" not in machine.run(f"{entered}; export UV_PYTHON_PREFERENCE=only-system; {find}").stdout


def test_an_environment_without_a_project(machine: Machine) -> None:
    """NIX409 in a folder with nothing but .venv: the command makes a project that nixpy knows."""
    folder = machine.folder.with_name("alone")
    folder.mkdir()
    alone = Machine(folder=folder, tool=machine.tool)
    alone.run("uv venv --quiet && unset UV_PYTHON && uv pip install --quiet native pure")
    found = alone.doctor()
    if "NIX409" not in found:
        pytest.skip("this machine has libodbc.so.2")
    command = found["NIX409"]["command"]
    assert command.endswith(f"nixpy init --python {MINOR}")
    after = alone.doctor(command)
    assert (folder / "requirements.txt").read_text() == "native==1.0\npure==1.0\n"
    assert "libodbc.so.2" in (folder / "nixpy.nix").read_text()
    assert after["NIX409"]["command"] == "nix develop"  # its shell supplies the library
    # Moved, and still without a project, the same packages are installed again.
    for path in folder.iterdir():
        if path.name != ".venv":
            path.unlink()
    folder.rename(moved := folder.with_name("moved"))
    found = Machine(folder=moved, tool=machine.tool).doctor()
    assert "NIX429" in found
    after = Machine(folder=moved, tool=machine.tool).doctor(f"unset UV_PYTHON; {found['NIX429']['command']}")
    assert "NIX429" not in after
    assert Machine(folder=moved, tool=machine.tool).run(".venv/bin/pure").stdout == "pure\n"


def test_packages_of_the_system(machine: Machine) -> None:
    """With include-system-site-packages, a package of the base Python is not missing; without, it is (NIX401)."""
    base = machine.folder.with_name("base")
    machine.run(f"uv venv --quiet {base} && uv pip install --quiet --python {base} pure")
    config = machine.folder / ".venv/pyvenv.cfg"
    machine.run("unset UV_PYTHON; uv pip uninstall --quiet pure")
    assert list(machine.doctor()) == ["NIX401"]
    lines = [f"home = {base}/bin", "include-system-site-packages = true", f"version = {MINOR}.0"]
    config.write_text("\n".join(lines))
    assert machine.doctor() == {}
