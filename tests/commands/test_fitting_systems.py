"""A system for which uv finds no versions is left out, with its reason, and the project is set up for the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import shop
from runner import Nixpy
from smallindex import SmallIndex, build_wheel

pytestmark = pytest.mark.slow
LINUX = ["aarch64-linux", "x86_64-linux"]
ONLY_DARWIN = "nowhere ; sys_platform == 'darwin'"
REASON = "no versions fit on aarch64-darwin; `nixpy init --system aarch64-darwin` shows why"


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nixpy: Nixpy) -> Iterator[None]:
    build_wheel(tmp_path / "wheels", "pure", "1.0")
    with SmallIndex(tmp_path / "wheels") as served:
        monkeypatch.setenv("UV_DEFAULT_INDEX", served.url)
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
        yield


def test_the_others_are_set_up(tmp_path: Path, nixpy: Nixpy) -> None:
    """`init` names the system and how to see why, and writes the others into the settings, so that `check` agrees."""
    project = shop.project(tmp_path / "demo", "pure", ONLY_DARWIN)
    made = nixpy("init", project, "--python", "3.13")
    assert made.status == 0
    assert REASON in " ".join(made.out.split())
    assert sorted(json.loads((project / "nixpy.lock").read_text())["systems"]) == LINUX
    assert 'systems = ["aarch64-linux", "x86_64-linux"]' in (project / "pyproject.toml").read_text()
    assert nixpy("check", project).status == 0
    assert nixpy("sync", project).status == 0


def test_the_command_that_shows_why(tmp_path: Path, nixpy: Nixpy) -> None:
    """A system that the user names is never left out: the error names the package."""
    project = shop.project(tmp_path / "demo", "pure", ONLY_DARWIN)
    before = sorted(path.name for path in project.iterdir())
    failed = nixpy("init", project, "--python", "3.13", "--system", "aarch64-darwin")
    assert failed.status == 2
    assert "nowhere" in failed.err
    assert sorted(path.name for path in project.iterdir()) == before


def test_sync_leaves_out_nothing(tmp_path: Path, nixpy: Nixpy) -> None:
    """`sync` changes no settings, so it ends with the error and names the command that does."""
    project = shop.project(tmp_path / "demo", "pure")
    assert nixpy("init", project, "--python", "3.13").status == 0
    path = project / "pyproject.toml"
    path.write_text(path.read_text().replace('"pure"', f'"pure", "{ONLY_DARWIN}"'))
    failed = nixpy("sync", project)
    assert failed.status == 2
    remedy = "nixpy init --system aarch64-linux --system x86_64-linux"
    assert f"hint: For the other systems, run `{remedy}`." in failed.err
    assert nixpy(*remedy.split()[1:], cwd=project).status == 0
    assert nixpy("check", project).status == 0


def test_if_none_fits_the_error_stays(tmp_path: Path, nixpy: Nixpy) -> None:
    """A package that no index has is an error, whatever the system."""
    project = shop.project(tmp_path / "demo", "pure", "nowhere")
    failed = nixpy("init", project, "--python", "3.13")
    assert failed.status == 2
    assert "Check the spelling" in failed.err
