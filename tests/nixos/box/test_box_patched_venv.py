"""Style patched-venv in the box, with real wheels: what it does after an install, to uv's cache, and when undone."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

from nixos.box.observe import Observed
from nixos.box.sandbox import HOME
from nixos.box.shells import FLAKE, Shell
from nixos.box.store import in_root

FOLDER = f"{HOME}/own"
ENTER = ("develop", "--offline", "--no-write-lock-file", f"path:{FLAKE}", "-c")
CACHE = "export UV_CACHE_DIR=$HOME/uv-cache UV_LINK_MODE=hardlink;"
NUMPY = ".venv/bin/python -c 'import numpy; print(numpy.__file__)'"


pytestmark = pytest.mark.xdist_group("observed=patched-venv")  # with those who use its shell too


@pytest.fixture(scope="module")
def shell(observed_of: Callable[[str], Observed]) -> Shell:
    """The shell of the style."""
    return observed_of("patched-venv").shell


@pytest.fixture
def venv(shell: Shell) -> Iterator[Path]:
    """A virtual environment with numpy that was linked from uv's cache, and not patched; it is in FOLDER."""
    folder = shell.box.home / "own"
    folder.mkdir()
    shutil.copyfile(shell.folder / "nixpy.lock", folder / "nixpy.lock")  # the project's folder, as its shell sees it
    run(shell, f"{CACHE} uv venv -q; uv pip install -q numpy")
    yield folder / ".venv"
    shell.box.run("rm", "-rf", FOLDER, f"{HOME}/uv-cache")


def run(shell: Shell, script: str, *, check: bool = True) -> tuple[str, str]:
    """What a script prints and says that is run in the shell, entered in FOLDER."""
    done = shell.box.nix(*ENTER, "bash", "-euc", script, cwd=FOLDER, check=check)
    assert check or done.returncode != 0
    return done.stdout.strip(), done.stderr


def outside(shell: Shell, command: str) -> str:
    """What a command says in FOLDER without any shell."""
    return shell.box.run("/bin/sh", "-c", command, cwd=FOLDER, check=False).stderr


def report(shell: Shell) -> dict[str, Any]:
    """What `nixpy-patch` does in an environment that was entered elsewhere, so that no hook was before it."""
    done = shell.box.nix(*ENTER, "bash", "-euc", f"cd {FOLDER}; nixpy-patch --format json", cwd=HOME)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def state(folder: Path) -> dict[str, tuple[int, str]]:
    """Inode and content of every file but those that Python and we wrote."""
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and not {"__pycache__", ".nixpy-patched"} & {*path.parts}
    }


def needed(file: Path) -> frozenset[str]:
    """The DT_NEEDED names of a file, as pyelftools reads them."""
    with file.open("rb") as stream:
        if stream.read(4) != b"\x7fELF":
            return frozenset()
        parts = [part for part in ELFFile(stream).iter_segments() if isinstance(part, DynamicSegment)]
        return frozenset(str(getattr(tag, "needed")) for tag in parts[0].iter_tags("DT_NEEDED"))  # noqa: B009


def test_an_entry_patches_what_is_new(shell: Shell, venv: Path) -> None:
    """Before it numpy fails on libstdc++; the entry says one line and numpy works, also where there is no shell; the
    next entry says nothing. What is installed then is patched by `nixpy-patch`, and nothing else is.
    """
    assert "libstdc++.so.6: cannot open shared object file" in outside(shell, NUMPY)
    said = [line for line in run(shell, NUMPY)[1].splitlines() if "nixpy" in line]
    assert len(said) == 1
    assert said[0].startswith("nixpy: patched ")
    assert said[0].endswith(" files in .venv")
    assert outside(shell, NUMPY) == ""
    assert "nixpy" not in run(shell, NUMPY)[1]
    before = state(venv)
    shell.box.nix(*ENTER, "bash", "-euc", f"{CACHE} cd {FOLDER}; uv pip install -q psycopg2-binary ruff", cwd=HOME)
    assert "libz.so.1: cannot open shared object file" in outside(shell, ".venv/bin/python -c 'import psycopg2'")
    assert "Could not start dynamically linked executable" in outside(shell, ".venv/bin/ruff --version")
    patched = report(shell)["patched"]
    assert "bin/ruff" in patched
    assert all("psycopg2" in path for path in patched if path != "bin/ruff")
    assert outside(shell, ".venv/bin/python -c 'import psycopg2'; .venv/bin/ruff --version") == ""
    after = state(venv)
    assert {name: after[name] for name in before} == before
    assert report(shell)["patched"] == []


def test_the_cache_of_uv_is_not_touched(shell: Shell, venv: Path) -> None:
    """The files of .venv are hard links into the cache; patching changes no byte of it, and what uv links from it
    into another virtual environment is as the wheel has it.
    """
    cache = shell.box.home / "uv-cache"
    before = state(cache)
    linked = {inode for inode, _ in before.values()} & {inode for inode, _ in state(venv).values()}
    assert len(linked) > 500
    asking = {path for path in before if needed(cache / path) & frozenset().union(*shell.sonames.values())}
    patched = report(shell)["patched"]
    assert state(cache) == before
    assert len(patched) == len(asking) > 1
    assert {Path(path).name for path in patched} == {Path(path).name for path in asking}
    run(shell, f"{CACHE} uv venv -q other; uv pip install -q --python other numpy")
    assert "libstdc++.so.6: cannot open shared object file" in outside(shell, NUMPY.replace(".venv", "other"))


def test_it_is_undone_byte_for_byte(shell: Shell, venv: Path) -> None:
    """After `nixpy-patch --restore` each file is the one that uv linked, and numpy fails as it did."""
    before = state(venv)
    report(shell)
    assert state(venv) != before
    run(shell, "nixpy-patch --restore")
    assert state(venv) == before
    assert not (venv / ".nixpy-patched").exists()
    assert "libstdc++.so.6: cannot open shared object file" in outside(shell, NUMPY)


def test_other_libraries_touch_only_who_needs_them(shell: Shell, venv: Path) -> None:
    """A library that goes from the list leaves numpy's files and the record of them alone; the link alone is another,
    and holds all others.
    """
    report(shell)
    before, link = state(venv), (venv / ".nixpy-patched/lib").readlink()
    try:
        shell.ignore(["libodbc.so.2"])
        assert report(shell)["patched"] == []
        assert state(venv) == before
        now = (venv / ".nixpy-patched/lib").readlink()
        assert {path.name for path in in_root(link).iterdir()} - {path.name for path in in_root(now).iterdir()} == {
            "libodbc.so.2"
        }
    finally:
        shell.ignore(())
