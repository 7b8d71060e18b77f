"""Broken installations: real installers make them, doctor names the package and the file, and the command that it names
repairs them.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from doctor.machine import MINOR, Machine
from elfbuild import AARCH64, elf
from realuv import RealUv
from smallindex import SmallIndex, build_wheel

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="needs a glibc loader")]

CP, OTHER = (f"cp3{sys.version_info.minor + more}" for more in (0, 1))
SITE = f".venv/lib/python{MINOR}/site-packages"
CORE = f"{SITE}/native/core.cpython-3{sys.version_info.minor}-x86_64-linux-gnu.so"
SCRIPT = "[console_scripts]\npure = pure:main\n"
# A build back end that needs no other package: an editable wheel is a path to `src`.
BACKEND = """
import os, zipfile
def get_requires_for_build_editable(settings=None): return []
def build_editable(folder, settings=None, metadata=None):
    info = "tool-1.dist-info"
    with zipfile.ZipFile(os.path.join(folder, "tool-1-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("_tool.pth", os.path.join(os.getcwd(), "src") + "\\n")
        wheel.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: tool\\nVersion: 1\\n")
        wheel.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "/RECORD", f"_tool.pth,,\\n{info}/METADATA,,\\n{info}/WHEEL,,\\n{info}/RECORD,,\\n")
    return "tool-1-py3-none-any.whl"
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallIndex]:
    """An index with `pure`, which has a script, and `native`, which has a wheel for each kind of machine."""
    folder = tmp_path_factory.mktemp("wheels")
    for version in ("1.0", "1.1"):
        module = f"def main(): print('pure {version}')\n"
        files = {"pure.py": module, f"pure-{version}.dist-info/entry_points.txt": SCRIPT}
        build_wheel(folder, "pure", version, files=files)
    for cp, platform, triple, machine, libc in (
        (CP, "manylinux_2_17_x86_64", "x86_64-linux-gnu", 62, "libc.so.6"),
        (OTHER, "manylinux_2_17_x86_64", "x86_64-linux-gnu", 62, "libc.so.6"),
        (CP, "manylinux_2_17_aarch64", "aarch64-linux-gnu", AARCH64, "libc.so.6"),
        (CP, "musllinux_1_2_x86_64", "x86_64-linux-musl", 62, "libc.musl-x86_64.so.1"),
    ):
        core = elf(needed=[libc, "libown-0a1b2c3d.so"], runpath="$ORIGIN/../native.libs", machine=machine)
        own = elf(needed=[libc], soname="libown-0a1b2c3d.so", machine=machine)
        libraries = {f"native/core.cpython-{cp[2:]}-{triple}.so": core, "native.libs/libown-0a1b2c3d.so": own}
        others = {"native/__init__.py": b"", "native/data.json": b"{}"}
        build_wheel(folder, "native", "1.0", f"{cp}-{cp}-{platform}", files={**libraries, **others})
    path = f"newer/core.cpython-{CP[2:]}-x86_64-linux-gnu.so"
    for platform, needed in (("manylinux_2_17_x86_64", "GLIBC_2.2.5"), ("manylinux_2_40_x86_64", "GLIBC_2.999")):
        file = elf(needed=["libc.so.6"], versions={"libc.so.6": [needed]})
        build_wheel(folder, "newer", "1.0", f"{CP}-{CP}-{platform}", files={path: file})
    with SmallIndex(folder) as index:
        yield index


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, wheels: SmallIndex) -> Machine:
    """A project with a lock and a .venv, as uv makes them; each test repairs it."""
    tmp_path = tmp_path_factory.mktemp("uv")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "demo"\nversion = "1"\nrequires-python = "~={MINOR}.0"\n'
        'dependencies = ["pure", "native", "newer"]\n'
    )
    # A cache of its own: uv links its files into .venv, so that damage to one is damage to the other.
    made = Machine(folder=folder, tool=RealUv(folder=tmp_path, index_url=wheels.url, cache=tmp_path / "cache"))
    made.run("uv lock --quiet && uv sync --quiet --frozen")
    assert made.doctor() == {}
    return made


def delete(*paths: str) -> Callable[[Machine], None]:
    """Return what deletes files and folders of a package."""

    def act(machine: Machine) -> None:
        for path in paths:
            found = machine.folder / SITE / path
            shutil.rmtree(found) if found.is_dir() else found.unlink()

    return act


def cut(path: str, size: int) -> Callable[[Machine], None]:
    return lambda machine: os.truncate(machine.folder / path, size)


def loop(machine: Machine) -> None:
    """Replace a file by a link to itself, which not even root can read."""
    (machine.folder / CORE).unlink()
    (machine.folder / CORE).symlink_to(CORE.rpartition("/")[2])


def run(script: str) -> Callable[[Machine], None]:
    """Return what runs a script."""

    def act(machine: Machine) -> None:
        machine.run(script)

    return act


def target(name: str, *options: str) -> Callable[[Machine], None]:
    """Return what installs a wheel for another machine into the environment."""
    return run(f"uv pip install --quiet --no-deps --reinstall --target {SITE} {' '.join(options)} {name}")


def twice(machine: Machine) -> None:
    info = machine.folder / SITE / "pure-1.1.dist-info"
    shutil.copytree(info, info.with_name("pure-1.0.dist-info"))


INFO = "native-1.0.dist-info"
DAMAGES: dict[str, tuple[Callable[[Machine], None], str, str]] = {
    "folder": (delete("native", "native.libs"), "NIX418", "nor does any other file of it"),
    "file": (delete("native/data.json"), "NIX418", "data.json of native 1.0 does not exist"),
    "script": (run("rm .venv/bin/pure"), "NIX418", "bin/pure of pure 1.1 does not exist"),
    "own library": (delete("native.libs/libown-0a1b2c3d.so"), "NIX418", "libown-0a1b2c3d.so of native"),
    "empty": (cut(CORE, 0), "NIX418", f"{CORE} of native 1.0 is empty"),
    "cut off": (cut(CORE, 300), "NIX418", f"{CORE} of native 1.0 is cut off: it has 300 bytes"),
    "module": (cut(f"{SITE}/pure.py", 3), "NIX418", "pure.py of pure 1.1 is cut off: it has 3 bytes"),
    "RECORD": (delete(f"{INFO}/RECORD"), "NIX419", "RECORD does not exist, so uv cannot remove"),
    "RECORD and library": (delete(f"{INFO}/RECORD", "native.libs"), "NIX419", "RECORD does not exist"),
    "METADATA": (delete(f"{INFO}/METADATA"), "NIX419", "METADATA does not exist"),
    "dist-info": (delete(INFO), "NIX401", "native of uv.lock is not installed"),
    "two versions": (twice, "NIX419", "pure-1.0.dist-info and pure-1.1.dist-info"),
    "processor": (target("native", "--python-platform=aarch64-unknown-linux-gnu"), "NIX420", "for another processor"),
    "musl": (target("native", "--python-platform=x86_64-unknown-linux-musl"), "NIX420", "is for musl"),
    "Python": (
        target("native", f"--python-version=3.{sys.version_info.minor + 1}"), "NIX420", f"another Python than {MINOR}"
    ),
    "unreadable": (loop, "NIX422", f"{CORE} of native cannot be read"),
    "version": (run("unset UV_PYTHON; uv pip install --quiet pure==1.0"), "NIX424", "pure 1.0 instead of 1.1"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_uv_repairs(machine: Machine, damage: str) -> None:
    """The only finding names the package and the file; after its command nothing is found, and all is there."""
    act, code, words = DAMAGES[damage]
    act(machine)
    found = machine.doctor()
    assert list(found) == [code], found
    assert words in found[code]["message"]
    assert "nixpy init" not in found[code]["command"]
    assert machine.doctor(found[code]["command"]) == {}
    assert machine.run(".venv/bin/pure").stdout == "pure 1.1\n"
    assert (machine.folder / CORE).stat().st_size > 300


def test_an_elf_file_that_nixpy_cannot_read(machine: Machine) -> None:
    """A name of a library with a line break, in a file of the right size, is a warning, and its command repairs it."""
    path = machine.folder / CORE
    damaged = path.read_bytes().replace(b"libown-", b"libown\n")
    path.unlink()  # uv links its own copy
    path.write_bytes(damaged)
    assert machine.doctor() == {}
    (found,) = (one for one in json.loads((machine.folder / "report").read_text())["findings"] if one["packages"])
    assert (found["code"], found["level"]) == ("NIX104", "warning")
    assert f"nixpy cannot read the ELF file {path} of native" in found["message"]
    machine.doctor(found["command"])
    assert "NIX104" not in (machine.folder / "report").read_text()


def test_a_glibc_that_is_too_old(machine: Machine) -> None:
    """A wheel for a newer one is replaced by the one that fits."""
    target("newer", "--python-platform=x86_64-manylinux_2_40")(machine)
    found = machine.doctor()
    assert list(found) == ["NIX423"], found
    assert f"newer/core.cpython-{CP[2:]}-x86_64-linux-gnu.so of newer needs GLIBC_2.999" in found["NIX423"]["message"]
    if "manylinux_2_40" in machine.run("uv pip debug 2>/dev/null || ldd --version").stdout:
        pytest.skip("this machine has such a glibc")
    assert machine.doctor(found["NIX423"]["command"]) == {}


def test_an_editable_package(machine: Machine) -> None:
    """Without its source it is removed; with another layout it is installed again."""
    tool = machine.folder.with_name("tool")
    (tool / "src").mkdir(parents=True)
    (tool / "src/tool.py").write_text("")
    (tool / "backend.py").write_text(BACKEND)
    (tool / "pyproject.toml").write_text(
        '[project]\nname = "tool"\nversion = "1"\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    machine.run("unset UV_PYTHON; uv pip install --quiet -e ../tool && .venv/bin/python -c 'import tool'")
    assert machine.doctor() == {}
    (tool / "src").rename(tool / "source")
    found = machine.doctor()
    assert list(found) == ["NIX421"], found
    (tool / "source").rename(tool / "src")
    machine.run(f"unset UV_PYTHON; {found['NIX421']['command']} && .venv/bin/python -c 'import tool'")
    shutil.rmtree(tool)
    found = machine.doctor()
    assert list(found) == ["NIX421"], found
    assert machine.doctor(f"unset UV_PYTHON; {found['NIX421']['command']}") == {}


def test_pip_repairs(tmp_path: Path, wheels: SmallIndex) -> None:
    """A project of pip with a requirements file; one damage after the other."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "requirements.txt").write_text("pure==1.1\nnative==1.0\nnewer==1.0\n")
    (folder / "nixpy.toml").write_text('manager = "pip"\n')
    made = Machine(folder=folder, tool=RealUv(folder=tmp_path, index_url=wheels.url, cache=tmp_path / "cache"))
    pip = f"export PIP_CONFIG_FILE=/dev/null PIP_INDEX_URL={wheels.url} PIP_DISABLE_PIP_VERSION_CHECK=1"
    made.run(f"{pip}; python -m venv .venv && .venv/bin/python -m pip install --quiet -r requirements.txt")
    assert set(made.doctor()) <= {"NIX416"}
    for damage in ("folder", "RECORD", "processor", "version"):
        act, code, words = DAMAGES[damage]
        if damage == "version":
            made.run(f"{pip}; .venv/bin/python -m pip install --quiet pure==1.0")
        else:
            act(made)
        found = {name: one for name, one in made.doctor().items() if name != "NIX416"}
        assert list(found) == [code], (damage, found)
        assert words.replace("so uv", "so pip") in found[code]["message"]
        made.run(f"{pip}; {found[code]['command']} >/dev/null")
        assert set(made.doctor()) <= {"NIX416"}, damage
        assert made.run(".venv/bin/pure").stdout == "pure 1.1\n"
