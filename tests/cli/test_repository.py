"""At the top of a repository, commands count the projects below and name the command for all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

import shop
from runner import Nixpy


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two projects, a pyproject.toml for other tools, and a folder without a project."""
    for name in ("a", "b/c"):
        shop.project(tmp_path / name, "gamma")
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    (tmp_path / "b/nothing").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("folder", [(), (".",)])
def test_commands_at_the_top(top: Path, nixpy: Nixpy, folder: tuple[str, ...]) -> None:
    """Each command is an error with the number of projects and the command for all; nothing is written."""
    before = sorted(top.rglob("*"))
    for command, hint in (
        ("init", "Run `nixpy init --all`, or `nixpy init a` for one project."),
        ("check", "Run `nixpy init --all` first."),
        ("sync", "Run `nixpy init --all` first."),
    ):
        ran = nixpy(command, *folder)
        assert (ran.status, ran.out) == (2, "")
        assert ran.err == (
            f"error[NIX703]: .: no Python project in this folder, but 2 projects below it\n  hint: {hint}\n"
        )
    assert sorted(top.rglob("*")) == before
    told = nixpy("doctor", *folder)
    assert "no Python project in this folder, but 2 projects below it. Run `nixpy init --all` first.\n" in told.err
    assert nixpy("doctor", *folder, "--format", "json").err == ""


def test_commands_at_the_top_of_managed_projects(top: Path, nixpy: Nixpy) -> None:
    """As soon as nixpy manages a project, the commands name themselves with `--all`, and that works."""
    assert nixpy("init", "b/c", "--style", "loader").status == 0
    for command in ("check", "sync"):
        hint = f"  hint: Run `nixpy {command} --all`, or `nixpy {command} b/c` for one project.\n"
        assert nixpy(command).err.endswith(hint)
        assert nixpy(command, "--all").status == 0
    ran = nixpy("check", "a", "b", "b/c", "--format", "json")
    assert ran.status == 2
    assert [one["state"] for one in ran.json["projects"]] == ["never analysed", "error", "fresh"]


def test_a_folder_without_projects_below(top: Path, nixpy: Nixpy) -> None:
    """Without projects below, the error is about this folder alone."""
    ran = nixpy("check", top / "b/nothing")
    assert ran.status == 2
    assert "no Python project here" in ran.err
