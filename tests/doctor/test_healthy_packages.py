"""Healthy environments that real installers make in several ways: nothing is found in them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from doctor.machine import MINOR, Machine
from elfbuild import elf, program
from realuv import RealUv
from smallindex import SmallIndex, build_wheel

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="needs a glibc loader")]

TAG = f"cp3{sys.version_info.minor}"
NAMES = "odd tests-one tests-two native abi program stubs space-one space-two"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallIndex]:
    """An index with the kinds of files that real wheels have."""
    folder = tmp_path_factory.mktemp("wheels")
    odd = {
        'odd/with, comma and "quote".py': "",
        "odd/with blanks/__init__.py": "",
        "odd/empty.py": "",
        "odd/ünicode.txt": "x",
        "odd-1.0.data/scripts/odd-script": "#!python\nprint('odd')\n",
        "odd-1.0.data/data/share/odd/data.txt": "x",
        "odd-1.0.data/data/etc/odd.conf": "x",
        "odd-1.0.data/headers/odd.h": "x",
        "odd-1.0.data/purelib/odd/pure.py": "",
        "odd-1.0.data/platlib/odd/plat.py": "",
        "odd-1.0.dist-info/entry_points.txt": "[console_scripts]\nodd = odd:main\n[gui_scripts]\nodd-gui = odd:main\n",
        "odd-1.0.dist-info/licenses/LICENSE": "x",
    }
    build_wheel(folder, "odd", "1.0", files=odd)
    build_wheel(folder, "tests-one", "1.0", files={"one.py": "", "tests/__init__.py": "# a long first line\n" * 9})
    build_wheel(folder, "tests-two", "1.0", files={"two.py": "", "tests/__init__.py": ""})
    build_wheel(folder, "space-one", "1.0", files={"space/one/__init__.py": ""})
    build_wheel(folder, "space-two", "1.0", files={"space/two/__init__.py": "", "space_two-nspkg.pth": "import sys\n"})
    core = elf(
        needed=["libc.so.6", "libgraft-0a1b2c3d.so.1"],
        versions={"libc.so.6": ["GLIBC_2.2.5"]},
        runpath="$ORIGIN/../native.libs",
    )
    graft = elf(needed=["libc.so.6"], soname="libgraft-0a1b2c3d.so.1", defines=["GRAFT_1"])
    native = {f"native/core.cpython-{TAG[2:]}-x86_64-linux-gnu.so": core, "native.libs/libgraft-0a1b2c3d.so.1": graft}
    build_wheel(folder, "native", "1.0", f"{TAG}-{TAG}-manylinux_2_17_x86_64.manylinux2014_x86_64", files=native)
    build_wheel(
        folder, "abi", "1.0", "cp38-abi3-manylinux_2_17_x86_64", files={"abi/_rust.abi3.so": elf(needed=["libc.so.6"])}
    )
    build_wheel(
        folder,
        "program",
        "1.0",
        "py3-none-manylinux_2_17_x86_64",
        files={"program-1.0.data/scripts/program": program(["libc.so.6"])},
    )
    build_wheel(folder, "stubs", "1.0", files={"stubs-stubs/__init__.pyi": "x: int\n", "stubs-stubs/py.typed": ""})
    with SmallIndex(folder) as index:
        yield index


def sync(machine: Machine, *variables: str) -> None:
    """A project of uv; `variables` are set for `uv sync`."""
    names = ", ".join(f'"{name}"' for name in NAMES.split())
    (machine.folder / "pyproject.toml").write_text(
        f'[project]\nname = "demo"\nversion = "1"\nrequires-python = "~={MINOR}.0"\ndependencies = [{names}]\n'
    )
    machine.run(f"uv lock --quiet && {' '.join(variables)} uv sync --quiet --frozen")


def with_links(machine: Machine) -> None:
    """Every file is a link into the cache."""
    sync(machine, "UV_LINK_MODE=symlink")


def with_bytecode(machine: Machine) -> None:
    """With bytecode, and without links to the cache."""
    sync(machine, "UV_LINK_MODE=copy", "UV_COMPILE_BYTECODE=1")


def uv_pip(machine: Machine) -> None:
    """An environment without a lock, and with another name of its folder."""
    (machine.folder / "requirements.txt").write_text("\n".join(NAMES.split()))
    machine.run("unset UV_PYTHON; uv venv --quiet && uv pip install --quiet -r requirements.txt")


def pip(machine: Machine) -> None:
    """The venv module and pip."""
    (machine.folder / "requirements.txt").write_text("\n".join(f"{name}==1.0" for name in NAMES.split()))
    index = f"PIP_CONFIG_FILE=/dev/null PIP_INDEX_URL={machine.tool.index_url}"
    machine.run(f"python -m venv .venv && {index} .venv/bin/python -m pip install --quiet -r requirements.txt")


def virtualenv(machine: Machine) -> None:
    """Virtualenv links pip and its own files into the environment; pip installs with its options."""
    (machine.folder / "requirements.txt").write_text("\n".join(NAMES.split()))
    options = f"--quiet --no-compile --ignore-installed --index-url {machine.tool.index_url}"
    machine.run(
        "python -m virtualenv --quiet --app-data ./app-data .venv && "
        f"PIP_CONFIG_FILE=/dev/null .venv/bin/python -m pip install {options} -r requirements.txt"
    )


@pytest.mark.parametrize("make", [sync, with_links, with_bytecode, uv_pip, pip, virtualenv])
def test_nothing_is_found(tmp_path: Path, wheels: SmallIndex, make: object) -> None:
    """Doctor reads every package, and reports nothing."""
    folder = tmp_path / "project"
    folder.mkdir()
    machine = Machine(folder=folder, tool=RealUv(folder=tmp_path, index_url=wheels.url, cache=tmp_path / "cache"))
    assert callable(make)
    make(machine)
    assert machine.doctor() == {}
    assert len(list(folder.glob(f".venv/lib/python{MINOR}/site-packages/*.dist-info"))) >= len(NAMES.split())
