"""nixpy's own flake, built as it lies here: `nix run`, checks, shell and overlay, where there is no /lib."""

from __future__ import annotations

import subprocess

import pytest

from nixos.box.sandbox import HOME, WHEELS, Box
from nixos.box.store import RELEASE, SYSTEM
from nixos.realnix import lock_flake
from nixos.repository import copy_repository
from nixpy import __version__

OPTIONS = ("--offline", "--no-write-lock-file", "-L")
FLAKE = f"path:{HOME}/nixpy"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A box with what git knows of this repository."""
    folder = tmp_path_factory.mktemp("own") / "home"
    copy_repository(folder / "nixpy")
    lock_flake(folder / "nixpy", RELEASE)
    return Box(home=folder, host_loader="nothing")


def nixpy(box: Box, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """The finished run of `nix run` of the flake."""
    return box.nix("run", *OPTIONS, FLAKE, "--", *arguments, check=check)


def test_nix_run_reads_wheels_and_writes_a_project(box: Box) -> None:
    """The built nixpy, which `nix shell` offers too, makes a project of a wheel's needs, with uv to resolve it, and
    then finds it fresh; after a byte is changed, it does not.
    """
    assert nixpy(box, "--version").stdout.split() == ["nixpy", __version__]
    assert box.nix("shell", *OPTIONS, FLAKE, "-c", "nixpy", "--version").stdout.split() == ["nixpy", __version__]
    (project := box.home / "project").mkdir()
    (project / "requirements.txt").write_text(f"--no-index\n--find-links {WHEELS}\npillow\n")
    nixpy(box, "init", "--style", "loader", "--system", SYSTEM, f"{HOME}/project")
    assert '"libz.so.1"' in (project / "nixpy.nix").read_text()
    assert nixpy(box, "check", f"{HOME}/project").stdout.startswith(f"{HOME}/project: up to date (")
    (project / "nixpy.nix").write_text((project / "nixpy.nix").read_text() + " ")
    assert nixpy(box, "check", f"{HOME}/project", check=False).returncode == 1


def test_it_runs_with_a_wrong_pythonhome(box: Box) -> None:
    """A PYTHONHOME that kills every Python is reported, and does not kill the built nixpy."""
    box.nix("build", *OPTIONS, FLAKE, "-o", f"{HOME}/built")
    done = box.run("env", "PYTHONHOME=/nowhere", f"{HOME}/built/bin/nixpy", "doctor", f"{HOME}/nixpy", check=False)
    assert "error[NIX410]: PYTHONHOME is /nowhere: " in done.stdout
    assert done.returncode == 1


def test_its_checks_pass_until_an_example_is_stale(box: Box) -> None:
    """`checks` build the package and find the examples fresh; with a byte more in one of them they fail, and the
    package is not built anew.
    """
    for name in ("package", "examples"):
        box.nix("build", *OPTIONS, "--no-link", f"{FLAKE}#checks.{SYSTEM}.{name}")
    example = box.home / "nixpy/examples/loader/nixpy.nix"
    text = example.read_text()
    try:
        example.write_text(text + "# more\n")
        failed = box.nix("build", *OPTIONS, "--no-link", f"{FLAKE}#checks.{SYSTEM}.examples", check=False)
    finally:
        example.write_text(text)
    assert failed.returncode != 0
    assert "nixpy.nix: edited" in failed.stderr
    assert f"nixpy-{__version__}.drv" not in failed.stderr


def test_the_shell_runs_this_source(box: Box) -> None:
    """In `nix develop`, `python -m nixpy` is the code of this folder, and pytest is there."""
    work = f"{HOME}/nixpy"
    develop = ("develop", *OPTIONS, FLAKE, "-c", "python")
    where = box.nix(*develop, "-c", "import nixpy; print(nixpy.__file__)", cwd=work).stdout.strip()
    assert where == f"{work}/scaffold/nixpy/__init__.py"
    assert "up to date" in box.nix(*develop, "-m", "nixpy", "check", "examples/loader", cwd=work).stdout
    box.nix(*develop, "-m", "pytest", "--version", cwd=work)


def test_the_overlay_has_the_program(box: Box) -> None:
    """`pkgs.nixpy` of a nixpkgs with the overlay is the program."""
    expression = (
        f'let flake = builtins.getFlake "{FLAKE}"; in '
        f"(flake.inputs.nixpkgs.legacyPackages.{SYSTEM}.extend flake.overlays.default).nixpy"
    )
    box.nix("build", *OPTIONS, "--impure", "--expr", expression, "-o", f"{HOME}/overlaid")
    assert box.run(f"{HOME}/overlaid/bin/nixpy", "--version").stdout.split() == ["nixpy", __version__]
