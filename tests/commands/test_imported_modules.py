"""Modules that open libraries only if the project imports them: init records them, check notices a new import."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from nixpy.analysis import analyse
from nixpy.core import limits
from nixpy.locks.model import LockedWheel
from nixpy.needs.model import WheelFacts
from opens import opening
from runner import Nixpy

GIS = "django.contrib.gis"
PYLOCK = """lock-version = "1.0"
requires-python = ">=3.11"
created-by = "test"
"""
PACKAGE = """
[[packages]]
name = "{name}"
version = "{version}"
wheels = [{{ path = "{stem}-{version}-py3-none-any.whl", hashes.sha256 = "{digest}" }}]
"""
OPENS = (
    opening(
        "libgeos_c.so.1", certainty="likely", path="django/contrib/gis/geos.py", module=GIS + ".geos", modules=(GIS,)
    ),
)
FACTS = {
    "django": WheelFacts(files=(), known="sha256", opens=OPENS),
    "rest-gis": WheelFacts(files=(), known="sha256", imports=("a.b", f"{GIS}.geos.Point")),
    "rest-plain": WheelFacts(files=(), known="sha256", imports=("a.b", "django.contrib.admin")),
}


@pytest.fixture
def gathered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the wheels that nixpy gathers; their facts are those above."""
    names: list[str] = []

    def gather(wheels: Sequence[LockedWheel], *_: object) -> Mapping[LockedWheel, WheelFacts]:
        names.extend(wheel.name for wheel in wheels)
        return {wheel: FACTS[wheel.name] for wheel in wheels}

    monkeypatch.setattr(analyse, "_gather", gather)
    return names


def lock(folder: Path, *packages: str) -> None:
    """Write a pylock.toml with these packages, such as `django==1.0`."""
    texts = [
        PACKAGE.format(name=name, stem=name.replace("-", "_"), version=version, digest="0" * 64)
        for name, _, version in (package.partition("==") for package in packages)
    ]
    (folder / "pylock.toml").write_text(PYLOCK + "".join(texts))


def recorded(folder: Path) -> Any:
    """Return nixpy.lock."""
    return json.loads((folder / "nixpy.lock").read_text())


def supplied(folder: Path) -> bool:
    """Return whether the generated file supplies the library."""
    return "libgeos_c.so.1" in (folder / "nixpy.nix").read_text()


@pytest.fixture
def project(tmp_path: Path, gathered: list[str], nixpy: Nixpy) -> Path:
    """A project with Django, which does not use django.contrib.gis."""
    assert not gathered
    lock(tmp_path, "django==1.0")
    (tmp_path / "main.py").write_text("import django")
    assert nixpy("init", tmp_path, "--style", "loader", "--offline").status == 0
    return tmp_path


def test_a_new_import_makes_check_fail(project: Path, nixpy: Nixpy) -> None:
    """Check names the module and what it opens; sync supplies it; without the import, it is left out again."""
    assert not supplied(project)
    assert nixpy("check", project).status == 0
    (project / "settings.py").write_text(f'INSTALLED_APPS = ["{GIS}"]')
    ran = nixpy("check", project)
    assert ran.status == 1
    assert f"the project now imports {GIS}, which opens libgeos_c.so.1" in ran.out
    assert nixpy("sync", project, "--offline").status == 0
    assert supplied(project)
    assert recorded(project)["imported"] == [GIS]
    assert nixpy("check", project).status == 0
    (project / "settings.py").unlink()
    assert f"the project no longer imports {GIS}" in nixpy("check", project).out
    assert nixpy("sync", project, "--offline").status == 0
    assert not supplied(project)
    assert "imported" not in recorded(project)


def test_another_wheel_may_import_the_module(project: Path, gathered: list[str], nixpy: Nixpy) -> None:
    """It counts as an import of the project does, and nixpy.lock lists that wheel."""
    lock(project, "django==1.0", "rest-gis==1.0", "rest-plain==1.0")
    assert nixpy("sync", project, "--offline").status == 0
    assert supplied(project)
    entry = recorded(project)["systems"]["x86_64-linux"]
    assert {wheel["name"]: wheel["needs"].get("imports") for wheel in entry["wheels"]} == {
        "django": None,
        "rest-gis": [GIS],
    }
    gathered.clear()
    assert nixpy("sync", project, "--offline").status == 0
    assert "django" not in gathered
    lock(project, "django==1.0", "rest-plain==1.0")
    assert nixpy("sync", project, "--offline").status == 0
    assert not supplied(project)


def test_wheels_are_read_again_for_new_modules(
    project: Path, gathered: list[str], nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """nixpy.lock has only the imports that mattered; another Django may have other modules."""
    lock(project, "django==1.0", "rest-gis==1.0")
    assert nixpy("sync", project, "--offline").status == 0
    opens = (opening("libgeos_c.so.1", module="django.x", modules=("a.b",), path="django/x.py"),)
    monkeypatch.setitem(FACTS, "django", WheelFacts(files=(), known="sha256", opens=opens))
    lock(project, "django==2.0", "rest-gis==1.0")
    gathered.clear()
    assert nixpy("sync", project, "--offline").status == 0
    assert set(gathered) == {"django", "rest-gis"}
    assert supplied(project)


def test_sources_that_are_not_read_are_reported(project: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may import the module."""
    monkeypatch.setattr(limits, "OWN_SOURCES", 0)
    assert "NIX227" in nixpy("check", project).err
    assert "nixpy did not read all sources" in nixpy("sync", project, "--offline").out
