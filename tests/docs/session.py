"""Does what a page tells its reader to do: on this machine with the wheelhouse for an index, or in the box.

The box has no git, so that `git` is always this machine's.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from docs.blocks import Block, agrees
from nixos.box.lacking import bring_conda, bring_poetry
from nixos.box.sandbox import HOME, Box
from nixos.box.shells import caches
from nixos.box.store import RELEASE
from nixos.realnix import CURRENT, evaluate, lock_flake, stand_in
from nixos.repository import copy_known, copy_repository
from nixpy.core import address
from smallindex import SmallIndex

# How pages call a clone of nixpy's repository, as a folder and as the address of a flake.
_CLONE = re.compile("|".join([*map(re.escape, filter(None, [address.flake(), address.git()])), r"~/nixpy(?![\w-])"]))
_APART = shutil.ignore_patterns(".venv", ".direnv", ".git", "result")
_OPTIONS = ("--offline", "--no-write-lock-file")
# A shell with a person in it moves into the root of a style that has one.
_LIKE_A_PERSONS = 'exec $(type -P nixpy-fhs) bash -euo pipefail -c "$1"'


_GIT = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "me"), ("EMAIL", "me@example.org"))
}


def published(folder: Path) -> str:
    """The address of this repository with a tag, as a reader's clone; its nixpkgs is the stand-in."""
    copy_repository(folder)
    lock_flake(folder, "unstable")
    for command in (["init"], ["add", "--all"], ["commit", "--message=all of it"], ["tag", "v0.1.0"]):
        git = ["git", "-c", "commit.gpgsign=false", *command]
        subprocess.run(git, cwd=folder, env={**os.environ, **_GIT}, check=True, capture_output=True)
    return f"git+file://{folder}"


@dataclass
class Session:
    """One page, from an empty folder on, or from a copy of what git knows of the folder `example`. `home` is the
    reader's; in the box it is the home as well. `address` is where nixpy's repository lies.

    In the home is a checkout of nixpkgs, as far as nixpy looks at one.
    """

    home: Path
    index: SmallIndex
    address: str
    example: Path | None = None
    folder: Path = field(init=False)
    entered: bool = False  # `nix develop` was typed, and no `exit` since
    evaluated: int = 0

    def __post_init__(self) -> None:
        self.folder = self.home / "work"
        self.folder.mkdir(parents=True)
        if self.example:
            copy_known(self.example, self.folder)
        tree = self.home / "nixpkgs/pkgs/top-level/python-packages.nix"
        tree.parent.mkdir(parents=True)
        tree.write_text("{ }\n")

    def read(self, block: Block) -> None:
        """Do what the block says; AssertionError, with its place, where that comes out otherwise than shown."""
        if block.file:
            if block.file == "flake.nix":
                self.evaluate()
            path = self.folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_CLONE.sub(self.address, block.text))
        elif block.language == "console" and "host" not in block.words:
            steps = block.steps()
            for number, (command, shown) in enumerate(steps):
                if _words(command) == ["nix", "develop"] and number < len(steps) - 1:
                    self.entered = True  # what follows is run in there, and tells whether one can enter
                    continue
                boxed = "box" in block.words and not command.startswith("git ")
                done = self._in_the_box(command) if boxed else self._here(command)
                fails = "fails" in block.words and number == len(steps) - 1
                said = f"{block.where}: {command}\n{done.stdout}\n{done.stderr}"
                assert (done.returncode != 0) == fails, said
                assert not any(shown) or agrees(shown, done.stdout), f"{said}\nis shown as\n" + "\n".join(shown)

    def evaluate(self) -> None:
        """Evaluate the flake that lies in the folder by now, if one does, with real Nix."""
        if (self.folder / "flake.nix").exists():
            (self.folder / "result").unlink(missing_ok=True)  # it leads into the box's store
            evaluate(self.folder, RELEASE)
            self.evaluated += 1

    def _here(self, command: str) -> subprocess.CompletedProcess[str]:
        place = self.home / ".place"
        command = _CLONE.sub(self.address, command)
        if command.startswith("nix "):
            printed = CURRENT.run(*shlex.split(command), cwd=self.folder).stdout
            return subprocess.CompletedProcess(command, 0, printed, "")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f'{command}\nprintf %s "$PWD" >{shlex.quote(str(place))}'],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode == 0:
            self.folder = Path(place.read_text())
        # At a terminal this is a bar, which is gone in the end.
        printed = re.sub(r"^opening \d+ wheel files?\n", "", done.stdout, flags=re.MULTILINE)
        return subprocess.CompletedProcess(command, done.returncode, printed, "")

    def _environment(self) -> Mapping[str, str]:
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "NIXPY_CACHE_DIR": str(caches() / "nixpy"),
            "UV_CACHE_DIR": str(self.home / ".cache/uv-here"),
            "UV_DEFAULT_INDEX": self.index.url,
            "UV_PYTHON_DOWNLOADS": "never",  # and no UV_PYTHON, into which `uv pip` would install
            "UV_NO_SYSTEM_CONFIG": "1",
            "PIP_CONFIG_FILE": "/dev/null",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            **_GIT,
            "NO_COLOR": "1",
        }

    def _in_the_box(self, command: str) -> subprocess.CompletedProcess[str]:
        if _words(command) == ["exit"]:
            self.entered = False
            return subprocess.CompletedProcess(command, 0, "", "")
        if _words(command) == ["nix", "develop"]:
            self.entered, command = True, "true"
        if command.startswith("direnv "):  # `use flake` takes the folder as it lies there
            lock_flake(self.folder, RELEASE)
        if command.startswith("nix-shell"):
            nixpkgs = f"nix-shell --arg nixpkgs {stand_in(RELEASE)}"
            command = command.replace("nix-shell", nixpkgs, 1)
            return self._box().run("bash", "-c", self._with_index(command), cwd=self._seen(self.folder), check=False)
        # The flake as git knows it, or apart from .venv.
        flake, top = self.home / "flake", self._top()
        shutil.rmtree(flake, ignore_errors=True)
        if (top / ".git").exists():
            copy_known(top, flake)
        else:
            shutil.copytree(top, flake, ignore=_APART)
        self._bring_what_lacks(flake)
        lock_flake(flake, RELEASE)
        nix = f"path:{HOME}/flake"
        inside = ["nix", "develop", *_OPTIONS, nix, "-c", "bash", "-c", _LIKE_A_PERSONS, "", command]
        script = shlex.join(inside) if self.entered else _named(command, nix)
        return self._box().run("bash", "-c", self._with_index(script), cwd=self._seen(self.folder), check=False)

    def _bring_what_lacks(self, flake: Path) -> None:
        asked = "".join(path.read_text() for path in flake.rglob("nixpy.nix"))
        for name in ("conda", "micromamba"):
            if re.search(rf"pkgs\.{name}\b", asked):
                bring_conda(name, self.home, flake)
        if re.search(r"pkgs\.poetry(?![\w.-])", asked):  # as it is, not another interpreter's
            bring_poetry(flake)

    def _top(self) -> Path:
        """The folder of the flake: this one, or the nearest above with a flake.nix."""
        above = (folder for folder in (self.folder, *self.folder.parents) if folder.is_relative_to(self.home))
        return next((folder for folder in above if (folder / "flake.nix").exists()), self.folder)

    def _seen(self, path: Path) -> str:
        return f"{HOME}/{path.relative_to(self.home)}"

    @property
    def _port(self) -> int:
        port = urlsplit(self.index.url).port
        assert port
        return port

    def _box(self) -> Box:
        styles = {
            style[1]
            for path in self._top().rglob("nixpy.nix")
            if (style := re.search(r"style ([\w-]+):", path.read_text()))
        }
        return Box(
            home=self.home,
            host_loader="nix-ld" if "nix-ld" in styles else "stub-ld",
            environment={
                "UV_NO_INDEX": "0",
                "UV_OFFLINE": "0",
                "UV_FIND_LINKS": "",
                "UV_DEFAULT_INDEX": self.index.url,
                "UV_CACHE_DIR": f"{HOME}/.cache/uv",
            },
        )

    def _with_index(self, command: str) -> str:
        """Shell text that runs a command while the wheelhouse is served in the box, where it is served on this machine
        too: a lock names the same addresses.
        """
        from nixos.box.managed import serve

        return serve(self.home, self._port, command)


def _words(command: str) -> list[str]:
    return shlex.split(re.split(r"\s# ", command, maxsplit=1)[0])


def _named(command: str, flake: str) -> str:
    """The command with the flakes of this folder and of nixpkgs named as the box has them."""
    words = _words(command)
    if words[0] != "nix":
        return command
    place = 3 if words[1] == "flake" else 2
    rest = [
        re.sub("^nixpkgs#", f"path:{stand_in(RELEASE)}#", re.sub(r"^\.(?=#|$)", flake, word)) for word in words[place:]
    ]
    named = rest[:1] and rest[0].startswith("path:")
    return shlex.join([*words[:place], *_OPTIONS, *([] if named else [flake]), *rest])
