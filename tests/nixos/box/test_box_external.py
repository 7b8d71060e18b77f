"""What a project needs besides wheels, where there is no /usr: what has no wheel is compiled by the shell, and what
[external] asks for is there when the project runs.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from nixos.box import test_box_application as application
from nixos.box.sandbox import HOME, WHEELS, Box
from nixos.box.shells import nixpy, nixpy_with
from nixos.box.store import PYTHON, RELEASE, SYSTEM, in_root, packages, wheels
from nixos.realnix import lock_flake
from smallindex import SmallIndex, build_sdist

FLAKE, WORK, HOUSE = f"{HOME}/flake", f"{HOME}/work", f"{HOME}/house"
OPTIONS = ("--offline", "--no-write-lock-file")

CRC = """\
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <zlib.h>

static PyObject *sum_of(PyObject *self, PyObject *args) {
  const char *text;
  Py_ssize_t length;
  if (!PyArg_ParseTuple(args, "s#", &text, &length)) return NULL;
  return PyLong_FromUnsignedLong(crc32(0, (const Bytef *)text, length));
}

static PyMethodDef methods[] = {{"sum_of", sum_of, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "crcsum", NULL, -1, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_crcsum(void) { return PyModule_Create(&module); }
"""
SETUP = (
    'from setuptools import Extension, setup\nsetup(ext_modules=[Extension("crcsum", ["crcsum.c"], libraries=["z"])])\n'
)
BUILD = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "crcsum"
version = "1.0"
"""
IMPORT = "import crcsum; print(crcsum.__file__, crcsum.sum_of('nixpy'))"
CRC_OF_NIXPY = str(zlib.crc32(b"nixpy"))

# libusb is opened by its name, as pyusb does; ruff is a program that the user's own map names.
EXTERNAL = """
[external]
host-requires = ["dep:generic/zlib@>=1.2"]
dependencies = ["dep:generic/libusb", "dep:cargo/ruff"]
"""
PY = ".venv/bin/python"
OPEN = "import ctypes; print(ctypes.CDLL('libusb-1.0.so.0')._name)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needy:
    """A project that installs `crcsum`, of which there is only an sdist, and asks for more by [external]."""

    style: str
    box: Box

    @property
    def project(self) -> Path:
        """Where FLAKE is on this machine."""
        return self.box.home / "flake"

    @property
    def venv(self) -> Path:
        """Where WORK's `.venv` is on this machine."""
        return self.box.home / "work/.venv"

    def ask(self, external: str, *, ignored: Sequence[str] = ()) -> None:
        """Let the project's own [external] be this, and render it without the sonames `ignored`."""
        settings = self.project / "pyproject.toml"
        kept = settings.read_text().partition("[tool.nixpy]")[2].partition("[tool.nixpy.libraries]")[0].rstrip()
        settings.write_text(
            f"{external}\n[tool.nixpy]{kept}\n\n[tool.nixpy.libraries]\nignore = {json.dumps(list(ignored))}\n"
        )
        self.nixpy("sync")

    def nixpy(self, *arguments: str) -> str:
        """What nixpy prints that knows the house and the wheelhouse alone."""
        with SmallIndex(self.box.home / "house") as index:
            printed = nixpy_with(index, self.project, *arguments)
        (self.box.home / "work/nixpy.lock").write_text((self.project / "nixpy.lock").read_text())
        return printed

    def forget(self) -> None:
        """Remove `.venv`, and what uv built for it."""
        for folder in (self.venv, self.box.home / "cache"):
            shutil.rmtree(folder, ignore_errors=True)

    def enter(self, script: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The finished run of a bash script where the style's Python runs, in the work folder."""
        inside = ["nixpy-fhs"] if self.style == "fhs" else []
        command = ("develop", *OPTIONS, f"path:{FLAKE}", "-c", *inside, "bash", "-euc", script)
        return self.box.nix(*command, cwd=WORK, check=check)


def backends(folder: Path) -> Path:
    """That folder, made, with the wheels of build systems."""
    folder.mkdir(parents=True)
    for wheel in wheels("backends.csv").values():
        shutil.copy(wheel, folder)
    return folder


def make(folder: Path, manager: str, style: str) -> Needy:
    """A new project below `folder` in one style that one manager fills, analysed by nixpy."""
    home = folder / "home"
    house = backends(home / "house")
    info = "Metadata-Version: 2.2\nName: crcsum\nVersion: 1.0\n"
    files = {"PKG-INFO": info, "pyproject.toml": BUILD, "setup.py": SETUP, "crcsum.c": CRC}
    build_sdist(house, "crcsum", "1.0", files={f"crcsum-1.0/{name}": text.encode() for name, text in files.items()})
    box = Box(
        home=home,
        host_loader="stub-ld",
        environment={
            "PIP_FIND_LINKS": f"{WHEELS} {HOUSE}",
            "PIP_NO_CACHE_DIR": "1",  # nor what it built before
            "UV_FIND_LINKS": HOUSE,
            "UV_CACHE_DIR": f"{HOME}/cache/uv",
        },
    )
    made = Needy(style=style, box=box)
    for name in ("flake", "work"):
        (home / name).mkdir()
        (home / name / "requirements.txt").write_text("crcsum==1.0\n")
    (made.project / "pyproject.toml").write_text(
        f"{EXTERNAL}\n[tool.nixpy]\nexternal.map = {{ 'dep:cargo/ruff' = 'ruff' }}\n"
    )
    made.nixpy("init", "--style", style, "--manager", manager, "--python", PYTHON, "--system", SYSTEM)
    lock_flake(made.project, RELEASE)
    return made


WAYS = {"pip, loader": ("pip", "loader"), "uv, patched-venv": ("uv", "patched-venv"), "pip, fhs": ("pip", "fhs")}


@pytest.fixture(scope="module", params=WAYS)
def needy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Needy:
    """The project in each way, before its shell was entered."""
    return make(tmp_path_factory.mktemp("external"), *WAYS[request.param])


def test_what_is_asked_for_is_there(needy: Needy) -> None:
    """A package without a wheel that links to zlib is compiled by the shell and imported, a library of [external] is
    found by its name and a program of it on PATH; with [external] emptied the build fails for want of zlib's headers,
    and the library and the program are gone.
    """
    looks = (f'{PY} -c "{IMPORT}"', f'{PY} -c "{OPEN}"', "ruff --version")
    look = "\n".join(looks)
    crcsum, library, program = needy.enter(look).stdout.splitlines()
    module, number = crcsum.split()
    assert module.startswith(f"{WORK}/.venv/lib/")
    assert number == CRC_OF_NIXPY
    assert library == "libusb-1.0.so.0"
    assert program.startswith("ruff ")

    needy.ask("")
    needy.forget()
    failed = needy.enter("\n".join(f"! {look}" for look in looks))
    assert "zlib.h: No such file or directory" in failed.stderr
    assert "No module named 'crcsum'" in failed.stderr
    assert "libusb-1.0.so.0: cannot open shared object file" in failed.stderr
    assert "ruff: command not found" in failed.stderr

    needy.ask(EXTERNAL)
    assert needy.enter(look).stdout.splitlines() == [crcsum, library, program]


def test_what_was_compiled_finds_its_library(needy: Needy) -> None:
    """What was compiled in the shell has zlib's folder in the store in its run path, which is enough for it; where that
    is lost, as with an older store, the shell's libraries are. In a root it needs no run path.
    """
    command = f'{PY} -c "{IMPORT}"'
    module = needy.enter(command).stdout.split()[-2]
    file = needy.box.home / Path(module).relative_to(HOME)
    run_path = str(packages()["zlib"] / "lib")
    found = subprocess.run(["patchelf", "--print-rpath", file], check=True, capture_output=True, text=True).stdout
    assert (run_path in found.strip().split(":")) == (needy.style != "fhs")
    if needy.style == "fhs":
        return
    needy.ask(EXTERNAL, ignored=["libz.so.1"])
    assert needy.enter(command).stdout.split()[-1] == CRC_OF_NIXPY
    subprocess.run(["patchelf", "--remove-rpath", file], check=True)
    lost = needy.enter(command, check=False)
    assert "libz.so.1: cannot open shared object file" in lost.stderr
    needy.ask(EXTERNAL)
    assert needy.enter(command).stdout.split()[-1] == CRC_OF_NIXPY


def test_a_version_that_nixpkgs_lacks_is_told(needy: Needy) -> None:
    """The shell warns of a version that this nixpkgs does not have and names the overlay, and the check fails with the
    same words; a version that it has is no matter.
    """
    said = "the project requires dep:generic/zlib@>=99, and this nixpkgs has zlib-1.2.13; "
    said += "to use another version, add an overlay"
    check = ("build", *OPTIONS, "--no-link", "-L", f"path:{FLAKE}#checks.{SYSTEM}.external")
    good = needy.box.nix(*check)
    assert "the project requires" not in good.stderr
    needy.ask(EXTERNAL.replace(">=1.2", ">=99"))
    assert f"nixpy: {said}: (final: previous: {{ zlib = …; }})" in needy.enter("true").stderr
    bad = needy.box.nix(*check, check=False)
    assert bad.returncode != 0
    assert said in bad.stderr
    needy.ask(EXTERNAL)


# --- styles whose packages lie in the store ---

PROGRAM = """\
import ctypes, os, shutil


def main():
    print(ctypes.CDLL("libusb-1.0.so.0")._name, shutil.which("ruff"), os.environ.get("LD_LIBRARY_PATH"))
"""
OWN = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling>=1.20"]
build-backend = "hatchling.build"

[project]
name = "counted"
version = "1.2"
requires-python = ">=3.11"
dependencies = ["toolz"]

[project.scripts]
counted = "counted.main:main"

[tool.nixpy]
external.map = { 'dep:cargo/ruff' = 'ruff' }
""",
    "src/counted/__init__.py": "",
    "src/counted/main.py": PROGRAM,
}
OPENED = """
[external]
dependencies = ["dep:generic/libusb", "dep:cargo/ruff"]
"""
BUILT = ("application", "wheel-env", "pyproject-nix")  # these have the project itself


@pytest.mark.parametrize("style", [*BUILT, "with-packages"])
def test_styles_of_the_store_find_libraries(style: str, tmp_path: Path) -> None:
    """A library of [external] is opened by its name by the style's Python, in the shell and outside of it, and by the
    project's program; the path that children inherit holds that library alone, and comes after one that was set.
    Where [external] has programs alone no path is set, and the library is not found.
    """
    box = application.make(tmp_path, {**OWN, "pyproject.toml": OWN["pyproject.toml"] + OPENED}, style=style)
    output = f"path:{FLAKE}#packages.{SYSTEM}.default"
    develop = ("develop", *OPTIONS, f"path:{FLAKE}", "-c")
    code = ("-c", f"{PROGRAM}\nmain()")

    def starts() -> Iterator[subprocess.CompletedProcess[str]]:
        yield box.nix(*develop, "python", *code, check=False)
        yield box.nix(*develop, "env", "LD_LIBRARY_PATH=/set", "python", *code, check=False)
        if style in BUILT:
            yield box.nix("run", *OPTIONS, f"path:{FLAKE}", check=False)
        if style in ("wheel-env", "with-packages"):
            box.nix("build", *OPTIONS, output, "-o", f"{HOME}/result")
            yield box.run("env", "-i", f"{HOME}/result/bin/python", *code, check=False)

    for number, done in enumerate(starts()):
        name, ruff, path = done.stdout.split()
        assert name == "libusb-1.0.so.0"
        assert ruff.startswith("/nix/store/")
        *before, last = path.split(":")
        assert before == (["/set"] if number == 1 else [])
        assert [file.name for file in in_root(Path(last)).iterdir()] == [name]

    settings = box.home / "flake/pyproject.toml"
    settings.write_text(settings.read_text().replace('"dep:generic/libusb", ', ""))
    nixpy(box.home / "flake", "sync")
    for done in starts():
        assert "libusb-1.0.so.0: cannot open shared object file" in done.stderr
    told = box.nix(*develop, "python", "-c", "import os; print(os.environ.get('LD_LIBRARY_PATH'))")
    assert told.stdout == "None\n"
