"""A project with a lock whose shell fills `.venv` by itself, and an index for it inside the box."""

from __future__ import annotations

import hashlib
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nixos.box.sandbox import HOME, WHEELS, Box
from nixos.box.shells import nixpy_with, on_this_machine
from nixos.box.store import PYTHON, RELEASE, SYSTEM, packages, wheels
from nixos.realnix import CACHE, NixError, lock_flake
from smallindex import SmallIndex, build_wheel, sha256
from suite.shared import alone

FLAKE = f"{HOME}/flake"
WORK = f"{HOME}/work"  # apart from the flake, which is copied with all that lies in it
ADDRESS = "http://127.0.0.1:8000"
OPTIONS = ("--offline", "--no-write-lock-file")

FIRST, MORE = ("pillow",), ("pillow", "typing-extensions")
_PROJECT = """\
[project]
name = "filled"
version = "0.1.0"
requires-python = ">=3.11,<4"
dependencies = [
{lines}]
"""
SETTINGS_OF_THE_BOX = {
    "PIP_NO_INDEX": "0",
    "PIP_INDEX_URL": f"{ADDRESS}/simple/",
    "UV_NO_INDEX": "0",
    "UV_OFFLINE": "0",
    "UV_DEFAULT_INDEX": f"{ADDRESS}/simple/",
    "UV_CACHE_DIR": f"{HOME}/cache/uv",
    "POETRY_CACHE_DIR": f"{HOME}/cache/poetry",
    "PDM_CACHE_DIR": f"{HOME}/cache/pdm",
    "PDM_CHECK_UPDATE": "0",
}
_SETTINGS = {
    "poetry": """
[tool.poetry]
package-mode = false

[[tool.poetry.source]]
name = "house"
url = "http://127.0.0.1:8000/simple/"
""",
    "pdm": """
[tool.pdm]
distribution = false

[[tool.pdm.source]]
name = "pypi"
url = "http://127.0.0.1:8000/simple/"
""",
}


# Managers that the stand-in nixpkgs lacks: they are installed from the wheels of managers.csv.
OTHERS = ("poetry", "pdm")
WHEELS_OF_OTHERS = CACHE / "managers"
TOOLS = f"{HOME}/tools"
_OVERLAY = """(nixpkgs.legacyPackages.${system}.extend (_: previous: {
  MANAGER = previous.writeShellScriptBin "MANAGER" ''exec TOOLS/bin/MANAGER "$@"'';
}));""".replace("TOOLS", TOOLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Managed:
    """A project in one style that one manager fills; its flake lies in FLAKE and its work folder is WORK."""

    manager: str
    style: str
    copies: bool
    box: Box
    index: SmallIndex

    @property
    def venv(self) -> Path:
        """The `.venv`, on this machine."""
        return self.box.home / "work/.venv"

    def enter(
        self, script: str, *, check: bool = True, network: bool = True, install: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """The finished run of a bash script in the shell of the project, entered in its work folder; with a `network`
        the index can be reached, without `install` the shell is told to leave `.venv` alone.
        """
        command = "" if install else "NIXPY_INSTALL=0 "
        command += shlex.join(("nix", "develop", *OPTIONS, f"path:{FLAKE}", "-c", *self.inside(script)))
        return self._run(_with_index(command) if network else command, check=check)

    def inside(self, script: str) -> tuple[str, ...]:
        """The command that runs a script where the programs of `.venv` start."""
        return (*(["nixpy-fhs"] if self.style == "fhs" else []), "bash", "-euc", script)

    def run_with_index(self, command: str) -> subprocess.CompletedProcess[str]:
        """The finished run of shell text in the work folder, outside of the shell, while the index can be reached."""
        return self._run(_with_index(command))

    def _run(self, command: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.box.run("bash", "-c", command, cwd=WORK, check=check)

    def ask_for(self, names: Iterable[str]) -> None:
        """Let the project ask for these packages, and lock it by the manager's own means."""
        project = self.box.home / "flake"
        names = tuple(names)
        written = project / "pyproject.toml"
        settings = written.read_text().partition("[tool.nixpy]")[2] if written.exists() else ""
        lines = "".join(f'  "{name}=={_version(name)}",\n' for name in names)
        if self.manager == "pip":
            (project / "requirements.txt").write_text("".join(f"{name}=={_version(name)}\n" for name in names))
            lines = ""
        if lines:
            lines = _PROJECT.format(lines=lines)
        if self.manager in _SETTINGS:
            lines += _SETTINGS[self.manager]
        written.write_text(f"{lines}\n[tool.nixpy]{settings}")
        lock = f"{self.manager}.lock"
        address = self.index.url.removesuffix("/simple/")
        if self.manager == "uv":
            on_this_machine(self.index, project, Path(sys.executable).with_name("uv"), "lock", "--quiet")
        for name in ("pyproject.toml", "requirements.txt", lock):
            if (project / name).exists():
                (self.box.home / "work" / name).write_text((project / name).read_text().replace(address, ADDRESS))
        if self.manager in OTHERS:
            self._run(_with_index(f"PDM_PYTHON={packages()['python']}/bin/python3 {TOOLS}/bin/{self.manager} lock"))
            made = (self.box.home / "work" / lock).read_text()
            (project / lock).write_text(made.replace(ADDRESS, address))
            written.write_text(written.read_text().replace(ADDRESS, address))

    def nixpy(self, *arguments: str) -> str:
        """What nixpy prints, on this machine."""
        project = self.box.home / "flake"
        printed = nixpy_with(self.index, project, *arguments)
        # Its shell knows the project's folder by it.
        shutil.copyfile(project / "nixpy.lock", self.box.home / "work/nixpy.lock")
        return printed

    def ignore(self, sonames: Iterable[str]) -> None:
        """Render the shell again without these sonames."""
        settings = self.box.home / "flake/pyproject.toml"
        head = settings.read_text().partition("\n[tool.nixpy.libraries]")[0]
        listed = ", ".join(f'"{soname}"' for soname in sonames)
        settings.write_text(
            head.rstrip("\n") + (f"\n\n[tool.nixpy.libraries]\nignore = [{listed}]\n" if listed else "\n")
        )
        self.nixpy("sync")


def make(folder: Path, index: SmallIndex, manager: str, style: str, *, copies: bool = False) -> Managed:
    """A new project below `folder` that asks for FIRST, analysed by nixpy, with no `.venv` yet."""
    home = folder / "home"
    made = Managed(
        manager=manager,
        style=style,
        copies=copies,
        index=index,
        box=Box(
            home=home,
            host_loader="nix-ld" if style == "nix-ld" else "stub-ld",
            # pip needs no more than a folder; the others are to use the index of their lock.
            environment={} if manager == "pip" else SETTINGS_OF_THE_BOX,
        ),
    )
    for name in ("flake", "work"):
        (home / name).mkdir(parents=True)
    if manager in OTHERS:
        _bring(made)
    _index(home / "index")
    made.ask_for(FIRST)
    if copies:
        settings = home / "flake/pyproject.toml"
        settings.write_text(settings.read_text().rstrip("\n") + "\nvenv-copies = true\n")
    made.nixpy("init", "--style", style, "--python", PYTHON, "--system", SYSTEM)
    if manager in OTHERS:
        flake = home / "flake/flake.nix"
        plain = "nixpkgs.legacyPackages.${system};"
        assert plain in flake.read_text()
        flake.write_text(flake.read_text().replace(plain, _OVERLAY.replace("MANAGER", manager)))
    lock_flake(home / "flake", RELEASE)
    return made


def _bring(made: Managed) -> None:
    """Put a manager that the stand-in does not have into TOOLS, as pip installs it there from its wheels.

    It is installed once for each set of wheels and each Python of the box, and copied from then on.
    """
    if not WHEELS_OF_OTHERS.is_dir():
        raise NixError("the wheels of managers.csv are missing: run `make setup`")
    python = packages()["python"]
    known = "\n".join([str(python), *sorted(path.name for path in WHEELS_OF_OTHERS.iterdir())])
    kept = CACHE / "tools" / f"{made.manager}-{hashlib.sha256(known.encode()).hexdigest()[:16]}"
    kept.parent.mkdir(exist_ok=True)
    with alone(kept):
        if not kept.exists():
            with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
                box = Box(home=Path(scratch, "home"), environment={"PIP_COMPILE": "1"})
                shutil.copytree(WHEELS_OF_OTHERS, box.home / "managers")
                box.run(f"{python}/bin/python3", "-m", "venv", TOOLS)
                offline = ("--no-index", "--find-links", f"{HOME}/managers")
                box.run(f"{TOOLS}/bin/pip", "install", "-q", *offline, made.manager)
                (box.home / Path(TOOLS).name).rename(kept)
    shutil.copytree(kept, made.box.home / Path(TOOLS).name, symlinks=True)


def _with_index(command: str, port: int = 8000) -> str:
    """Shell text that runs a command while the index can be reached in the box."""
    python = packages()["python"] / "bin/python3"
    return (
        f"{python} -m http.server -b 127.0.0.1 -d {HOME}/index {port} >/dev/null 2>&1 & "
        f"until (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.1; done; "
        f"{command}; status=$?; kill %1; exit $status"
    )


def serve(home: Path, port: int, command: str) -> str:
    """Shell text for the box with this home that runs a command while the wheelhouse is served at that port."""
    if not (home / "index").exists():
        _index(home / "index")
    return _with_index(command, port)


def _version(name: str) -> str:
    return wheels()[name].name.split("-")[1]


def _index(folder: Path) -> None:
    """Write the wheelhouse as a simple index (PEP 503) of plain files."""
    (folder / "files").mkdir(parents=True)
    for name, wheel in wheels().items():
        _offer(folder, name, wheel)
        (folder / "files" / wheel.name).symlink_to(f"{WHEELS}/{wheel.name}")


def _offer(folder: Path, name: str, wheel: Path) -> None:
    page = folder / "simple" / name / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    with page.open("a") as lines:
        lines.write(f'<a href="/files/{wheel.name}#sha256={sha256(wheel)}">{wheel.name}</a>\n')


def upload(managed: Managed, name: str, version: str) -> None:
    """Add a new wheel to the index in the box, and to that of the project on this machine."""
    wheel = build_wheel(managed.index.folder, name, version)
    folder = managed.box.home / "index"
    _offer(folder, name, wheel)
    shutil.copyfile(wheel, folder / "files" / wheel.name)
