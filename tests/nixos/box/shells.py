"""A project whose development shell is entered in the box, one for each style."""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from unittest import mock
from urllib.parse import urlsplit

import pytest

from nixos.box.sandbox import HOME, Box
from nixos.box.store import PYTHON, RELEASE, SYSTEM, WHEELHOUSE, packages, wheels
from nixos.realnix import CACHE, HERE, lock_flake
from nixpy.cli.main import main
from nixpy.styles.styles import Style
from smallindex import SmallIndex
from suite.shared import alone

# The packages of the matrix, each with the module that is imported.
MODULES = {
    "numpy": "numpy",
    "pandas": "pandas",
    "scipy": "scipy.linalg",
    "pillow": "PIL.Image",
    "psycopg2-binary": "psycopg2",
    "grpcio": "grpc",
    "opencv-python": "cv2",
    "pydantic-core": "pydantic_core",
    "pyodbc": "pyodbc",
    "lxml": "lxml.etree",
}
REQUIREMENTS = (*MODULES, "ruff")
PROGRAMS = {
    **{name: f"import {module} as module; print(module.__file__)" for name, module in MODULES.items()},
    # What Qt loads when OpenCV opens its first window, with all that it needs of X11.
    "opencv-python, a window": (
        "import cv2, ctypes; path = cv2.__path__[0] + '/qt/plugins/platforms/libqxcb.so'; "
        "ctypes.CDLL(path); print(path)"
    ),
}

SonameEntry = Literal["nix develop", "direnv"]
Maker = Literal["venv", "uv venv"]
ENTRIES: tuple[SonameEntry, ...] = ("nix develop", "direnv")
MAKERS: tuple[Maker, ...] = ("venv", "uv venv")

FLAKE = f"{HOME}/flake"  # apart from the work folders, since a `path:` flake is copied with all that lies in it
# Where each kind of virtual environment lies.
WORK: Mapping[Maker, str] = {"venv": f"{HOME}/venv", "uv venv": f"{HOME}/uv"}
# By venv's own pip: a package with libraries and a script, one without, and a program. All else is uv's, which is fast.
_BY_PIP = ("numpy", "pyodbc", "ruff")
_LINKED = f"UV_CACHE_DIR={HOME}/cache UV_LINK_MODE=hardlink uv pip install -q {' '.join(REQUIREMENTS)}"
_MAKE: Mapping[Maker, str] = {
    "venv": f"python -m venv .venv && .venv/bin/pip install -q --no-compile {' '.join(_BY_PIP)} && {_LINKED}",
    "uv venv": f"uv venv -q && {_LINKED}",
}
_OPTIONS = ("--offline", "--no-write-lock-file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """The development shell of a project with `REQUIREMENTS` in one style, and a `.venv` of each maker in `WORK`."""

    style: Style
    box: Box
    folder: Path  # where FLAKE lies on this machine
    sonames: Mapping[str, frozenset[str]]  # what each package needs, as `nixpy scan` says
    linked: frozenset[str]  # those of them to which a file of a package links

    def run(
        self,
        script: str,
        *,
        entry: SonameEntry = "nix develop",
        maker: Maker = "venv",
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """The finished run of a bash script in the shell, in the folder of the maker's `.venv`.

        Where a style has a root of its own, the script runs in there, by the command that the shell has for that.
        """
        command = [*(["nixpy-fhs"] if self.style.name == "fhs" else []), "bash", "-euc", script]
        if entry == "direnv":
            return self.box.run("direnv", "exec", ".", *command, cwd=WORK[maker], check=check)
        return self.box.nix("develop", *_OPTIONS, f"path:{FLAKE}", "-c", *command, cwd=WORK[maker], check=check)

    def probe(self, *, entry: SonameEntry = "nix develop", maker: Maker = "venv") -> dict[str, Any]:
        """Return all that probe.py reports from the virtual environment."""
        return self._report(_probe(PROGRAMS), entry, maker)

    def imports(
        self, programs: Iterable[str] = PROGRAMS, *, entry: SonameEntry = "nix develop", maker: Maker = "venv"
    ) -> dict[str, Any]:
        """Return what probe.py reports of the modules of these programs, and which interpreter it was."""
        return self._report(f"{_probe(programs)} modules", entry, maker)

    def _report(self, command: str, entry: SonameEntry, maker: Maker) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run(command, entry=entry, maker=maker).stdout.splitlines()[-1])
        return found

    def outside(self, maker: Maker) -> subprocess.CompletedProcess[str]:
        """Import the modules by the `.venv`'s Python where no shell was entered, as an IDE starts it."""
        return self.box.run("sh", "-c", f"{_probe(PROGRAMS)} modules", cwd=WORK[maker], check=False)

    def ignore(self, sonames: Iterable[str]) -> None:
        """Render the project again without these sonames; with none, as it was at first."""
        write_project(self.folder, ignored=sorted(sonames))
        nixpy(self.folder, "sync")

    def build_check(self) -> subprocess.CompletedProcess[str]:
        """The finished build of the flake's `checks.<system>.libraries`, whether it failed or not."""
        return build_check(self.box, FLAKE)


def _probe(programs: Iterable[str]) -> str:
    """Shell text that runs probe.py with these of the PROGRAMS."""
    return f".venv/bin/python {HOME}/probe.py {shlex.quote(json.dumps({name: PROGRAMS[name] for name in programs}))}"


def build_check(box: Box, flake: str) -> subprocess.CompletedProcess[str]:
    """The finished build of `checks.<system>.libraries` of the flake in that folder of the box."""
    return box.nix("build", *_OPTIONS, "--no-link", "-L", f"path:{flake}#checks.{SYSTEM}.libraries", check=False)


def make_shell(style: Style, folder: Path) -> Shell:
    """A new project in a home below `folder`, analysed by nixpy from the wheelhouse, with filled `.venv`s.

    Programs in wheels are started through the stand-in for nix-ld under the style that wants it, and meet NixOS's
    stub under the others.
    """
    home = folder / "home"
    project = home / "flake"
    project.mkdir(parents=True)
    shutil.copyfile(HERE / "box/probe.py", home / "probe.py")
    write_project(project)
    nixpy(project, "init", "--style", style.name, "--python", PYTHON, "--system", SYSTEM)
    lock_flake(project, RELEASE)
    report = json.loads(nixpy(project, "scan", "--format", "json"))
    sonames: dict[str, set[str]] = {}
    for library in report["libraries"]:
        for name in () if library["optional"] else library["needed_by"]:
            sonames.setdefault(name, set()).add(library["soname"])
    shell = Shell(
        style=style,
        box=Box(home=home, host_loader="nix-ld" if style.name == "nix-ld" else "stub-ld"),
        folder=project,
        sonames={name: frozenset(found) for name, found in sonames.items()},
        linked=frozenset(
            library["soname"]
            for library in report["libraries"]
            if not library["optional"] and any(one["kind"] == "linked" for one in library["evidence"])
        ),
    )
    _bring_packages(home)
    for maker in MAKERS:
        work = home / Path(WORK[maker]).name
        work.mkdir()
        shutil.copyfile(project / "nixpy.lock", work / "nixpy.lock")  # whereby a shell knows its project's folder
        (work / ".envrc").write_text(f"use flake path:{FLAKE} {' '.join(_OPTIONS)}\n")
        shell.box.run("direnv", "allow", cwd=WORK[maker])
        shell.run(_MAKE[maker], maker=maker)
    return shell


def _bring_packages(home: Path) -> None:
    """Put a cache of uv with the wheels of REQUIREMENTS into a home, from which uv links them into each `.venv`.

    They are unpacked and compiled once for these wheels, that of uv among them.
    """
    files = wheels()
    known = "\n".join([PYTHON, *(files[name].name for name in (*REQUIREMENTS, "uv"))])
    kept = CACHE / "packages" / hashlib.sha256(known.encode()).hexdigest()[:16]
    kept.parent.mkdir(exist_ok=True)
    with alone(kept):
        if not kept.exists():
            python, uv = packages()["python"], packages()["uv"]
            with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
                box = Box(home=Path(scratch, "home"), environment={"UV_CACHE_DIR": f"{HOME}/cache"})
                box.run(f"{uv}/bin/uv", "venv", "-q", "--python", f"{python}/bin/python3")
                box.run(f"{uv}/bin/uv", "pip", "install", "-q", *REQUIREMENTS)
                compiled = ("-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-x", "/tests?/")
                # It fails, as some files of the wheels are templates of Python.
                box.run(f"{python}/bin/python3", *compiled, f"{HOME}/cache", check=False)
                (box.home / "cache").rename(kept)
    # Links where they can be, which is many times as fast.
    if subprocess.run(["cp", "-al", kept, home / "cache"], capture_output=True, check=False).returncode != 0:
        shutil.copytree(kept, home / "cache", symlinks=True, dirs_exist_ok=True)


def write_project(folder: Path, *, ignored: Iterable[str] = ()) -> None:
    """Write the pyproject.toml; the sonames `ignored` are left out of what is rendered."""
    settings = folder / "pyproject.toml"
    kept = settings.read_text().partition("\n[tool.nixpy.libraries]")[0] if settings.exists() else ""
    head = f"""\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">={PYTHON}"
dependencies = {json.dumps(REQUIREMENTS)}

[tool.nixpy]
packages = ["uv"]
"""
    tail = f"\n[tool.nixpy.libraries]\nignore = {json.dumps(list(ignored))}\n" if ignored else ""
    settings.write_text((kept or head).rstrip("\n") + "\n" + tail)


def nixpy(project: Path, command: str, *arguments: str) -> str:
    """What a nixpy that knows no index but the wheelhouse prints."""
    return nixpy_with(wheelhouse(), project, command, project, *arguments)


@functools.cache
def wheelhouse() -> SmallIndex:
    """Serve the wheelhouse until the end of this process, at one address, by which nixpy keeps what it read."""
    wheels()
    return SmallIndex(WHEELHOUSE).__enter__()


@functools.cache
def caches() -> Path:
    """Return the folder of the caches of nixpy and uv that all projects of this process share."""
    folder = tempfile.mkdtemp(prefix="nixpy-box-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def on_this_machine(index: SmallIndex, project: Path, *command: str | Path) -> str:
    """What a command prints that runs in the project's folder and knows that index of the wheelhouse alone."""
    done = subprocess.run(
        command, cwd=project, env=_environment(index, project), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def nixpy_with(index: SmallIndex, project: Path, *arguments: str | Path) -> str:
    """What nixpy prints that does so, in this process: half of the time of a short run is Python's imports."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, _environment(index, project), clear=True),
        contextlib.chdir(project),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as exit_,
    ):
        main([str(argument) for argument in arguments])
    assert exit_.value.code == 0, out.getvalue() + err.getvalue()
    return out.getvalue()


def _environment(index: SmallIndex, project: Path) -> dict[str, str]:
    wheels()
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(project.parent.parent),
        "NIXPY_CACHE_DIR": str(caches() / "nixpy"),
        "UV_CACHE_DIR": str(caches() / f"uv-{urlsplit(index.url).port}"),
        "UV_DEFAULT_INDEX": index.url,
        "UV_PYTHON": sys.executable,
        "UV_NO_SYSTEM_CONFIG": "1",
        "PIP_CONFIG_FILE": "/dev/null",
        "NO_COLOR": "1",
    }
