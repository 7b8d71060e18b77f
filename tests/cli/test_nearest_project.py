"""`check`, `sync` and `doctor` find the project that the current folder belongs to, as uv and git do."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner import Nixpy
from smallindex import SmallIndex, build_wheel


@pytest.fixture
def project(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that nixpy manages, whose subfolder `src/deep` is the working folder."""
    build_wheel(tmp_path / "files", "leaf", "1.0")
    root = tmp_path / "project"
    (root / "src/deep").mkdir(parents=True)
    (root / "requirements.txt").write_text("leaf\n")
    with SmallIndex(tmp_path / "files") as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        assert nixpy("init", root, "--style", "loader").status == 0
    monkeypatch.chdir(root / "src/deep")
    return root


def test_the_project_above(project: Path, nixpy: Nixpy) -> None:
    """The project above is checked and updated, and named by its path from here."""
    checked = nixpy("check")
    assert (checked.status, checked.out.partition(":")[0]) == (0, "../..")
    (project / "nixpy.nix").unlink()
    assert nixpy("check").status == 1
    assert nixpy("sync", "--offline").status == 0
    assert (project / "nixpy.nix").is_file()
    assert nixpy("check").status == 0


def test_a_folder_that_is_named(project: Path, nixpy: Nixpy) -> None:
    """A folder that the user names is the project, or an error."""
    for command in ("check", "sync"):
        ran = nixpy(command, ".")
        assert ran.status == 2
        assert "no Python project here" in ran.err
    assert nixpy("check", project).status == 0


def test_a_project_of_its_own(project: Path, nixpy: Nixpy) -> None:
    """A folder with a project of its own is not the project above."""
    (project / "src/deep/requirements.txt").write_text("leaf\n")
    ran = nixpy("check")
    assert ran.status == 1
    assert "not generated" in ran.out + ran.err


def test_no_project_above(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a project that nixpy manages, the error names this folder."""
    monkeypatch.chdir(tmp_path)
    ran = nixpy("check")
    assert ran.status == 2
    assert "no Python project here" in ran.err
