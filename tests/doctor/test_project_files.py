"""What doctor reads of a project: Nix files, git, and settings of uv."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from doctor.world import HOST, codes
from nixpy.core import limits
from nixpy.doctor import nixfiles, project_folder

# --- Nix files ---

APPLICATION = """
{ pkgs }:
let
  # app = buildPythonPackage { };
  app = pkgs.python3Packages.buildPythonApplication { pname = "app"; };
  tool = pkgs.stdenv.mkDerivation rec { name = "tool"; nested = { a = "; }"; }; };
  right = pkgs.python3Packages.buildPythonPackage { pname = "right"; inputs = [ (stdenv.mkDerivation { }) ]; };
  made = pkgs.python3Packages.toPythonModule (pkgs.stdenv.mkDerivation { name = "made"; });
  passed = pkgs.stdenv.mkDerivation { passthru = { pythonModule = pkgs.python3; }; };
  file = pkgs.callPackage ./package.nix { };
  library = pkgs.callPackage ./library { };
in
pkgs.mkShell {
  packages = [
    app
    (pkgs.python3.withPackages (ps: with ps; [ numpy app right made passed file library
      (pkgs.stdenv.mkDerivation { name = "inline"; })
      (ps.buildPythonPackage { pname = "x"; })
    ]))
    tool
  ];
}
"""


def test_packages_that_with_packages_leaves_out(tmp_path: Path) -> None:
    """Found are an application, a derivation, inline or in a called file; not what stands beside the environment, has a
    pythonModule, is a comment, or is a library.
    """
    (tmp_path / "shell.nix").write_text(APPLICATION)
    (tmp_path / "package.nix").write_text("{ lib, buildPythonApplication }:\nbuildPythonApplication { }\n")
    (tmp_path / "library").mkdir()
    (tmp_path / "library/default.nix").write_text("{ buildPythonPackage }: buildPythonPackage { }\n")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/shell.nix").write_text(APPLICATION)
    found = nixfiles.applied(tmp_path)
    assert [(one.name, one.builder, one.file.name, one.line) for one in found] == [
        ("app", "buildPythonApplication", "shell.nix", 16),
        ("file", "buildPythonApplication", "shell.nix", 16),
        ("a package", "mkDerivation", "shell.nix", 17),
    ]
    assert [(one.made_in.name, one.made_at) for one in found] == [
        ("shell.nix", 5),
        ("package.nix", None),
        ("shell.nix", 17),
    ]


def test_packages_of_an_overlay_in_the_same_file(tmp_path: Path) -> None:
    """As in the wiki: bound in packageOverrides, taken as `ps.toolz`."""
    (tmp_path / "toolz.nix").write_text('{ stdenv, fetchPypi }:\nstdenv.mkDerivation rec { pname = "toolz"; }\n')
    (tmp_path / "shell.nix").write_text("""
let
  python = pkgs.python3.override {
    packageOverrides = pyfinal: pyprev: { toolz = pyfinal.callPackage ./toolz.nix { }; };
  };
in pkgs.mkShell { packages = [ (python.withPackages (python-pkgs: [ python-pkgs.pandas python-pkgs.toolz ])) ]; }
""")
    assert [one.name for one in nixfiles.applied(tmp_path)] == ["toolz"]


@pytest.mark.parametrize(
    "text", ["", "withPackages (", "withPackages (ps: [", "x = ", "withPackages (ps: [ (", "a = {"]
)
def test_broken_nix_is_no_failure(tmp_path: Path, text: str) -> None:
    """Text that ends in the middle is read to its end."""
    (tmp_path / "a.nix").write_text(text)
    assert nixfiles.applied(tmp_path) == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    ["a=", "a={", "a = mkDerivation ", "withPackages (a: [ ", "withPackages (a: [ (", "callPackage ./x.nix ", "a={(["],
)
def test_nix_files_take_linear_time(tmp_path: Path, text: str) -> None:
    """Expressions in each other, and lists without an end, are not read again and again."""
    (tmp_path / "x.nix").write_text("{ }:\n" * 1000)
    (tmp_path / "a.nix").write_text("withPackages (a: [ " + text * 40_000)
    start = time.process_time()
    nixfiles.applied(tmp_path)
    assert time.process_time() - start < 10


def test_a_nix_file_of_absurd_size_is_passed_over(tmp_path: Path) -> None:
    """Nobody writes such a file by hand."""
    (tmp_path / "a.nix").write_text("withPackages (ps: [ (mkDerivation { }) ])" + " " * limits.NIX_SIZE)
    assert nixfiles.applied(tmp_path) == ()


# --- git ---


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A git tree with a flake, what nixpy writes, and a .venv."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for name in ("flake.nix", "nixpy.nix", "nixpy.lock", "pyproject.toml"):
        (tmp_path / name).write_text("")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/pyvenv.cfg").touch()
    return tmp_path


def test_what_git_does_not_know(tree: Path) -> None:
    """Files of the flake that are not in the index, in the flake's order; `git add -N` makes them known."""
    found = project_folder.git(tree, tree / ".venv")
    assert found is not None
    assert (found.unknown, found.open_venv) == (("flake.nix", "nixpy.nix", "nixpy.lock"), True)
    subprocess.run(["git", "-C", tree, "add", "-N", *found.unknown], check=True)
    (tree / ".gitignore").write_text(".venv/\n")
    found = project_folder.git(tree, tree / ".venv")
    assert found is not None
    assert (found.unknown, found.open_venv) == ((), False)


def test_a_venv_that_ignores_itself(tree: Path) -> None:
    """As Python 3.13 and uv make it, with a .gitignore inside."""
    (tree / ".venv/.gitignore").write_text("*\n")
    found = project_folder.git(tree, tree / ".venv")
    assert found is not None
    assert not found.open_venv


def test_a_project_below_the_top(tree: Path) -> None:
    """Names are those of the project's folder; without a flake nothing need be known."""
    below = tree / "below"
    below.mkdir()
    (below / "nixpy.nix").touch()
    found = project_folder.git(below, below / ".venv")
    assert found is not None
    assert (found.unknown, found.open_venv) == ((), False)
    (below / "flake.nix").touch()
    found = project_folder.git(below, below / ".venv")
    assert found is not None
    assert found.unknown == ("flake.nix", "nixpy.nix")


def test_no_git_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing to say outside of one; in one without git, that is an error that names it."""
    assert project_folder.git(tmp_path, tmp_path / ".venv") is None
    (tmp_path / ".git").mkdir()
    (tmp_path / "flake.nix").touch()
    with pytest.raises(OSError, match="not a git repository"):
        project_folder.git(tmp_path, tmp_path / ".venv")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(FileNotFoundError, match="git is not on PATH"):
        project_folder.git(tmp_path, tmp_path / ".venv")


@pytest.mark.parametrize(
    ("name", "text", "may"),
    [
        ("pyproject.toml", "", True),
        ("pyproject.toml", '[tool.uv]\npython-downloads = "never"\n', False),
        ("uv.toml", 'python-preference = "only-system"\n', False),
        ("uv.toml", 'python-downloads = "manual"\n', False),
    ],
)
def test_settings_of_uv(tmp_path: Path, name: str, text: str, may: bool) -> None:
    """What the project's files say of uv's own Pythons."""
    (tmp_path / name).write_text(text)
    settings = project_folder.uv_settings(tmp_path, {"UV_NO_SYSTEM_CONFIG": "1", "XDG_CONFIG_HOME": str(tmp_path)})
    stub = replace(HOST, at_loader="stub")
    assert codes(uv_settings=settings, host=stub, environ={}) == (["NIX413"] if may else [])


def test_git_starts_nothing_of_the_tree(tree: Path) -> None:
    """A program that the tree's own settings name for git is not started; plain git does start it."""
    trap = tree / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tree}/sprung\n")
    trap.chmod(0o755)
    subprocess.run(["git", "-C", tree, "config", "core.fsmonitor", trap], check=True)
    project_folder.git(tree, tree / ".venv")
    assert not (tree / "sprung").exists()
    subprocess.run(["git", "-C", tree, "ls-files"], check=True, capture_output=True)
    subprocess.run(["git", "-C", tree, "status"], check=True, capture_output=True)
    assert (tree / "sprung").exists()
