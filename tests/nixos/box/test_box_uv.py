"""uv in the shells: it fills .venv, takes the shell's Python, and neither brings nor chooses one of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixos.box.observe import Observed
from nixos.box.shells import Shell
from nixos.box.store import PYTHON

PROJECT = f"""\
[project]
name = "filled-by-uv"
version = "0.1.0"
requires-python = ">={PYTHON}"
dependencies = ["numpy"]
"""
WHERE = "import numpy, sys; print(numpy.__file__, sys.prefix, sys.base_prefix, sep='|')"
FOLDER = "/home/user/filled"
FREE = "env -u UV_PYTHON_DOWNLOADS -u UV_PYTHON_PREFERENCE"


@pytest.fixture
def filled(shell: Shell, built: dict[str, Path]) -> Shell:
    """The shell of a style with a project in FOLDER that has no .venv yet, on a machine where uv has a Python of its
    own: the same plain one that the shells are made of.
    """
    folder = shell.box.home / "filled"
    if not folder.exists():
        folder.mkdir()
        (folder / "pyproject.toml").write_text(PROJECT)
        own = shell.box.home / ".local/share/uv/python/cpython-3.13.5-linux-x86_64-gnu"
        (own / "bin").mkdir(parents=True)
        (own / "bin/python3.13").symlink_to(built["python"] / "bin/python3.13")
    return shell


def run(shell: Shell, script: str, *, check: bool = True) -> tuple[str, str]:
    """What a script in FOLDER prints, and says."""
    done = shell.run(f"cd {FOLDER}; {script}", check=check)
    assert check or done.returncode != 0
    return done.stdout.strip(), done.stderr


def test_sync_run_and_pip_write_into_the_venv(observed: Observed, filled: Shell) -> None:
    """`uv sync` makes .venv of the shell's Python and fills it, `uv run` runs in it, `uv pip install` adds to it; numpy
    is imported with the libraries of the shell.
    """
    run(filled, "rm -rf .venv; uv sync -q")
    if observed.name == "patched-venv":
        run(filled, "nixpy-patch")
    places = {run(filled, f'{command} -c "{WHERE}"')[0] for command in ("uv run -q python", ".venv/bin/python")}
    assert len(places) == 1
    module, prefix, base = places.pop().split("|")
    assert module.startswith(f"{FOLDER}/.venv/lib/")
    assert prefix == f"{FOLDER}/.venv"
    assert base == observed.first["nix develop", "venv"]["base_prefix"]
    run(filled, "uv pip install -q typing-extensions")
    printed = run(filled, "source .venv/bin/activate; python -c 'import typing_extensions as t; print(t.__file__)'")[0]
    assert printed.startswith(f"{FOLDER}/.venv/lib/")


def test_uv_does_not_choose_its_own_python(filled: Shell) -> None:
    """The Python that uv has is not the one it takes for a new .venv; without the shell's settings it is."""
    ours = run(filled, "uv venv -q --clear && readlink .venv/bin/python")[0]
    theirs = run(filled, f"{FREE} uv venv -q --clear && readlink .venv/bin/python")[0]
    assert "/.local/share/uv/python/" in theirs
    assert "/.local/share/uv/python/" not in ours


def test_uv_does_not_bring_a_python(filled: Shell) -> None:
    """Asked for a Python that the shell does not have, uv says so instead of bringing one; without the shell's
    settings it would.
    """
    ask = "UV_OFFLINE=0 UV_HTTP_RETRIES=0 uv venv -q --clear --python 3.12 other"  # where it would retry for seconds
    ours = run(filled, ask, check=False)[1]
    theirs = run(filled, f"{FREE} {ask}".replace("env", "env -u UV_NO_INDEX", 1), check=False)[1]
    assert "No interpreter found for Python 3.12" in ours
    assert "Python downloads are set to 'never'" in ours
    assert "Failed to download" in theirs
