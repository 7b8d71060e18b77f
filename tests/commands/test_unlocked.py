"""A project without a lock: nixpy.lock records the versions that the shell installs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import shop
from nixpy.analysis import nixpylock
from runner import Nixpy
from smallindex import SmallIndex, build_wheel

LINUX = "cp313-cp313-manylinux_2_28_x86_64"


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nixpy: Nixpy) -> Iterator[Path]:
    """The folder of an index that gets newer versions."""
    folder = tmp_path / "uploads"
    build_wheel(folder, "pure", "1.0")
    build_wheel(folder, "compiled", "1.0", LINUX)
    with SmallIndex(folder) as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
        yield folder


def versions(project: Path) -> dict[str, str]:
    """Return the recorded version of each package."""
    systems = json.loads((project / "nixpy.lock").read_text())["systems"]
    return {item["name"]: item["version"] for one in systems.values() for item in one["wheels"]}


def test_versions_stay_until_upgrade(uploads: Path, tmp_path: Path, nixpy: Nixpy) -> None:
    """nixpy.lock has every package, the pure Python ones included. `sync`, `sync --rescan` and a changed requirement
    keep the versions; `sync --upgrade` takes newer ones.
    """
    project = shop.project(tmp_path / "demo", "pure", "compiled")
    arguments = ("init", project, "--style", "loader", "--python", "3.13", "--system", "x86_64-linux")
    assert nixpy(*arguments).status == 0
    first = {"pure": "1.0", "compiled": "1.0"}
    assert versions(project) == first
    for name, tag in (("pure", "py3-none-any"), ("compiled", LINUX)):
        build_wheel(uploads, name, "2.0", tag)
    build_wheel(uploads, "more", "1.0")
    assert nixpy("check", project).status == 0
    for options in ((), ("--rescan",)):
        assert nixpy("sync", project, *options).status == 0
        assert versions(project) == first
    text = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(text.replace('"pure",', '"pure",\n  "more",'))
    assert nixpy("check", project).status == 1
    assert nixpy("sync", project).status == 0
    assert versions(project) == {**first, "more": "1.0"}
    assert nixpy("sync", project, "--upgrade").status == 0
    assert versions(project) == {"pure": "2.0", "compiled": "2.0", "more": "1.0"}


@pytest.mark.usefixtures("uploads")
def test_incomplete_nixpy_lock_is_out_of_date(tmp_path: Path, nixpy: Nixpy) -> None:
    """`check` reports a nixpy.lock without the versions of pure Python packages, and `sync` adds them."""
    project = shop.project(tmp_path / "demo", "pure", "compiled")
    arguments = ("init", project, "--style", "loader", "--python", "3.13", "--system", "x86_64-linux")
    assert nixpy(*arguments).status == 0
    path = project / "nixpy.lock"
    before = path.read_text()
    path.write_text(nixpylock.dumps(replace(nixpylock.loads(before, path), complete=False)))
    assert "pure" not in versions(project)
    checked = nixpy("check", project)
    assert checked.status == 1
    assert "nixpy.lock does not list the versions of pure Python packages, which the shell installs" in checked.out
    assert nixpy("sync", project).status == 0
    assert path.read_text() == before


@pytest.mark.usefixtures("uploads")
def test_without_a_manager_only_needs_are_recorded(tmp_path: Path, nixpy: Nixpy) -> None:
    """If the user fills .venv, nixpy installs nothing, and nixpy.lock has only wheels that can change the Nix files."""
    project = shop.project(tmp_path / "demo", "pure", "compiled")
    arguments = ("init", project, "--style", "loader", "--manager", "none", "--python", "3.13")
    assert nixpy(*arguments, "--system", "x86_64-linux").status == 0
    assert versions(project) == {"compiled": "1.0"}
