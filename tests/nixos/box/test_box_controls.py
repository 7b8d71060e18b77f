"""The two controls. Where one turns, nothing that is shown in the box proves anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixos.box.sandbox import HOME, Box

# Those of the matrix that are used here.
INSTALLED = ("numpy", "psycopg2-binary", "pydantic-core", "ruff")
IMPORT = "import numpy; print(numpy.__file__)"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, built: dict[str, Path]) -> Box:
    """A box with a virtual environment of nixpkgs' plain Python, into which the wheels have been installed."""
    box = Box(home=tmp_path_factory.mktemp("plain") / "home")
    box.run(str(built["python"] / "bin/python3"), "-m", "venv", ".venv")
    box.run(".venv/bin/pip", "install", "-q", "--no-compile", *INSTALLED)
    return box


def test_a_plain_python_cannot_import_numpy(plain: Box) -> None:
    """Its wheel is installed without complaint, and then the loader does not find libstdc++: the error of the
    documents.
    """
    done = plain.run(".venv/bin/python", "-c", IMPORT, check=False)
    assert done.returncode != 0
    assert "ImportError" in done.stderr
    assert "libstdc++.so.6: cannot open shared object file: No such file or directory" in done.stderr


def test_libraries_by_hand_are_enough(plain: Box, built: dict[str, Path]) -> None:
    """The same import works as soon as the loader is told where libstdc++ is."""
    script = f"LD_LIBRARY_PATH={built['gcc']}/lib .venv/bin/python -c '{IMPORT}'"
    assert plain.run("/bin/sh", "-c", script).stdout.startswith(f"{HOME}/.venv/")


def test_zlib_is_missed_too(plain: Box, built: dict[str, Path]) -> None:
    """A wheel that needs zlib fails on it, since the interpreter does not bring it along for others."""
    script = f"LD_LIBRARY_PATH={built['gcc']}/lib .venv/bin/python -c 'import psycopg2'"
    assert "libz.so.1: cannot open" in plain.run("/bin/sh", "-c", script, check=False).stderr


def test_libgcc_is_found_by_the_loader_itself(plain: Box) -> None:
    """A wheel that needs libgcc_s alone works with nothing, as glibc of nixpkgs finds it: it proves nothing."""
    plain.run(".venv/bin/python", "-c", "import pydantic_core")


def test_a_program_of_a_wheel_meets_the_stub(plain: Box) -> None:
    """ruff, installed from its wheel, does not start: what NixOS has in the loader's place says so."""
    done = plain.run(".venv/bin/ruff", "--version", check=False)
    assert done.returncode == 127
    assert "Could not start dynamically linked executable" in done.stderr
