"""`init` and `sync` warn of a .venv with another Python than the project's."""

from __future__ import annotations

from pathlib import Path

import pytest

import shop
from runner import Nixpy

WARNING = "warning[NIX430]: .venv has Python 3.11, but the project has Python 3.13"


@pytest.mark.parametrize(
    ("config", "style", "warned"),
    [
        ("home = /usr/bin\nversion_info = 3.11.7\n", "loader", True),
        ("home = /usr/bin\nVersion = 3.11.7\n", "loader", True),
        ("home = /usr/bin\nversion = 3.13.1\nversion = 3.11.7\n", "loader", False),
        ("home = /usr/bin\n", "loader", False),
        ("home = /usr/bin\nversion = 3.11.7\n", "with-packages", False),  # it uses no .venv
    ],
)
def test_a_venv_of_another_python(tmp_path: Path, nixpy: Nixpy, config: str, style: str, *, warned: bool) -> None:
    """The warning changes no status; `check`, which depends only on the project, has none."""
    folder = shop.project(tmp_path, "gamma")
    (folder / ".venv").mkdir()
    (folder / ".venv/pyvenv.cfg").write_text(config)
    for command in (("init", folder, "--style", style, "--python", "3.13"), ("sync", folder)):
        ran = nixpy(*command)
        assert (ran.status, WARNING in ran.out + ran.err) == (0, warned)
    checked = nixpy("check", folder)
    assert (checked.status, "NIX430" in checked.out + checked.err) == (0, False)


def test_a_pyvenv_cfg_that_cannot_be_read(tmp_path: Path, nixpy: Nixpy) -> None:
    """`init` ends as without it."""
    folder = shop.project(tmp_path, "gamma")
    (folder / ".venv/pyvenv.cfg").mkdir(parents=True)
    assert nixpy("init", folder, "--style", "loader", "--python", "3.13").status == 0


def test_the_venv_of_a_workspace(tmp_path: Path, nixpy: Nixpy) -> None:
    """A member uses the .venv in the folder of the workspace."""
    member = tmp_path / "packages/one"
    member.mkdir(parents=True)
    project = '[project]\nname = "{}"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = []\n'
    (tmp_path / "pyproject.toml").write_text(project.format("root") + '[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    (member / "pyproject.toml").write_text(project.format("one"))
    (tmp_path / "uv.lock").write_text(
        'version = 1\nrequires-python = ">=3.11"\n[manifest]\nmembers = ["one", "root"]\n'
        '[[package]]\nname = "one"\nversion = "1"\nsource = { virtual = "packages/one" }\n'
        '[[package]]\nname = "root"\nversion = "1"\nsource = { virtual = "." }\n'
    )
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/pyvenv.cfg").write_text("version = 3.11.7\n")
    ran = nixpy("init", member, "--style", "loader", "--python", "3.13")
    assert ran.status == 0
    said = " ".join((ran.out + ran.err).split())
    assert "warning[NIX430]: ../../.venv has Python 3.11, but the project has Python 3.13" in said
    assert "hint: Run `rm -r ../../.venv`; the shell creates it again." in said
    (found,) = [one for one in nixpy("doctor", member, "--format", "json").json["findings"] if one["code"] == "NIX430"]
    assert f"{tmp_path}/.venv has Python 3.11" in found["message"]
