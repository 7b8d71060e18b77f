"""A project whose development shell is entered in the box, one for each style."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixos.box.sandbox import HOME, WHEELS, Box
from nixos.box.store import PYTHON, RELEASE, SYSTEM, WHEELHOUSE, wheels
from nixos.realnix import HERE, lock_flake
from nixpy.styles import Style
from smallindex import SmallIndex

REQUIREMENTS = ("numpy", "pandas", "pillow", "psycopg2-binary", "pydantic-core", "ruff")
FLAKE = f"{HOME}/flake"  # apart from the work folder, since a `path:` flake is copied with all that lies in it
WORK = f"{HOME}/work"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """The development shell of a project with `REQUIREMENTS` in one style, with a `.venv` in `WORK`."""

    style: Style
    box: Box
    folder: Path  # where FLAKE lies on this machine
    sonames: Mapping[str, frozenset[str]]  # what each project needs, as `nixpy scan` says

    def run(self, script: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The finished run of a bash script in the shell, in WORK. Where a style has its own root (`nix run
        .#fhs`), it runs in there.
        """
        options = ["--offline", "--no-write-lock-file"]
        command = ["bash", "-euc", script]
        if self.style.name == "fhs":
            return self.box.nix("run", *options, f"path:{FLAKE}#fhs", "--", *command, cwd=WORK, check=check)
        return self.box.nix("develop", *options, f"path:{FLAKE}", "-c", *command, cwd=WORK, check=check)

    def probe(self) -> dict[str, Any]:
        """What probe.py reports from the virtual environment."""
        found: dict[str, Any] = json.loads(self.run(f".venv/bin/python {HOME}/probe.py").stdout.splitlines()[-1])
        return found

    def build_check(self) -> subprocess.CompletedProcess[str]:
        """The finished build of the flake's `checks.<system>.libraries`, whether it failed or not."""
        attribute = f"path:{FLAKE}#checks.{SYSTEM}.libraries"
        return self.box.nix("build", "--offline", "--no-write-lock-file", "--no-link", "-L", attribute, check=False)


def make_shell(style: Style, folder: Path) -> Shell:
    """A new project in a home below `folder`, analysed by nixpy from the wheelhouse, with a filled `.venv`.

    Programs in wheels are started through the stand-in for nix-ld under the style that wants it, and meet NixOS's
    stub under the others.
    """
    home = folder / "home"
    project = home / "flake"
    project.mkdir(parents=True)
    (home / "work").mkdir()
    shutil.copyfile(HERE / "box/probe.py", home / "probe.py")
    write_project(project)
    nixpy(project, "init", "--style", style.name, "--python", PYTHON, "--system", SYSTEM)
    lock_flake(project, RELEASE)
    report = json.loads(nixpy(project, "scan", "--format", "json"))
    sonames: dict[str, set[str]] = {}
    for library in report["libraries"]:
        for name in library["needed_by"]:
            sonames.setdefault(name, set()).add(library["soname"])
    shell = Shell(
        style=style,
        box=Box(home=home, host_loader="nix-ld" if style.name == "nix-ld" else "stub-ld"),
        folder=project,
        sonames={name: frozenset(found) for name, found in sonames.items()},
    )
    shell.run(
        f"python -m venv .venv && .venv/bin/pip install -q --no-index --find-links {WHEELS} {' '.join(REQUIREMENTS)}"
    )
    return shell


def write_project(folder: Path, *, ignored: frozenset[str] = frozenset()) -> None:
    """Write the pyproject.toml; the sonames `ignored` are left out of what is rendered."""
    settings = folder / "pyproject.toml"
    kept = settings.read_text().partition("\n[tool.nixpy.libraries]")[0] if settings.exists() else ""
    head = f"""\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">={PYTHON}"
dependencies = {json.dumps(REQUIREMENTS)}
"""
    tail = f"\n[tool.nixpy.libraries]\nignore = {json.dumps(sorted(ignored))}\n" if ignored else ""
    settings.write_text((kept or head) + tail)


def nixpy(project: Path, command: str, *arguments: str) -> str:
    """What a nixpy that knows no index but the wheelhouse prints."""
    wheels()
    scratch = project.parent.parent
    with SmallIndex(WHEELHOUSE) as index:
        done = subprocess.run(
            [sys.executable, "-m", "nixpy", command, project, *arguments],
            env={
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "HOME": str(scratch),
                "NIXPY_CACHE_DIR": str(scratch / "cache/nixpy"),
                "UV_CACHE_DIR": str(scratch / "cache/uv"),
                "UV_DEFAULT_INDEX": index.url,
                "UV_PYTHON": sys.executable,
                "UV_NO_SYSTEM_CONFIG": "1",
                "PIP_CONFIG_FILE": "/dev/null",
                "NO_COLOR": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
