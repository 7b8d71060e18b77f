"""Locks that Poetry and PDM made, read: what we select is what these tools would install, as `made/make.py` saw it."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from nixpy.core.errors import NixpyError
from nixpy.core.target import SYSTEMS, Target
from nixpy.locks import formats
from nixpy.locks.model import ExtrasAndGroups
from nixpy.locks.pdm import PdmLock
from nixpy.locks.poetry import PoetryLock
from nixpy.locks.select import select

MADE = Path(__file__).parent / "made"
NAMES = sorted(path.parent.name for path in MADE.glob("*/installs.json"))
SEEN = Target(system="x86_64-linux", python="3.11.7", glibc=(2, 36))  # where make.py ran


def lock_of(folder: Path) -> PoetryLock | PdmLock:
    """The lock in the folder."""
    found = formats.find(folder)
    assert found is not None
    lock = formats.read(found)
    assert isinstance(lock, PoetryLock | PdmLock)
    return lock


def extras_and_groups(extras: list[str], groups: list[str] | None) -> ExtrasAndGroups:
    """What is chosen, as ours."""
    named = None if groups is None else frozenset(map(canonicalize_name, groups))
    return ExtrasAndGroups(extras=frozenset(map(canonicalize_name, extras)), groups=named)


CASES = [
    pytest.param(name, seen, id=f"{name} {words}")
    for name in NAMES
    for words, seen in json.loads((MADE / name / "installs.json").read_text()).items()
]


@pytest.mark.parametrize(("name", "seen"), CASES)
def test_what_the_tool_installs_is_selected(name: str, seen: dict[str, Any]) -> None:
    """For each choice of extras and groups the tool's own list and ours are the same, in versions too."""
    packages = lock_of(MADE / name).packages(SEEN, extras_and_groups(*seen["choice"]))
    assert [f"{package.name}=={package.version}" for package in packages] == seen["installs"]
    assert len(seen["installs"]) > 4


@pytest.mark.parametrize("name", NAMES)
def test_markers_hold_for_other_systems_too(name: str) -> None:
    """What is only for Linux, macOS, or an older Python is selected there alone; each wheel fits its system."""
    lock = lock_of(MADE / name)
    targets = [Target(system=system, python="3.13.2", glibc=(2, 40)) for system in SYSTEMS]
    locked = select(lock, targets, ExtrasAndGroups())
    by_system = {system: {wheel.name for wheel in locked.wheels if wheel.system == system} for system in SYSTEMS}
    assert {"leaf", "nested", "only-linux", "mixed-name"} < by_system["aarch64-linux"] == by_system["x86_64-linux"]
    assert by_system["aarch64-darwin"] ^ by_system["x86_64-linux"] == {"only-linux", "only-mac", "mixed-name"}
    assert "backport" not in by_system["x86_64-linux"]
    binaries = {wheel.system: wheel.file.filename for wheel in locked.wheels if wheel.name == "binary"}
    assert binaries == {
        "aarch64-darwin": "binary-1.0-cp313-cp313-macosx_11_0_arm64.whl",
        "aarch64-linux": "binary-1.0-cp313-cp313-manylinux_2_17_aarch64.manylinux2014_aarch64.whl",
        "x86_64-linux": "binary-1.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    }
    assert locked.unavailable == ()
    assert all(wheel.file.sha256 and len(wheel.file.sha256) == 64 for wheel in locked.wheels)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("poetry") and name != "poetry-project"])
def test_poetrys_constraints_choose_between_versions(name: str) -> None:
    """Of a package that is locked twice, each Python gets the version that the project asks for there."""
    lock = lock_of(MADE / name)
    for python, version in (("3.11.7", "1.5"), ("3.13.2", "2.0")):
        target = Target(system="x86_64-linux", python=python, glibc=(2, 40))
        assert {
            package.version for package in lock.packages(target, ExtrasAndGroups()) if package.name == "forked"
        } == {version}


@pytest.mark.parametrize("name", NAMES)
def test_where_the_files_are_is_asked_of_the_right_index(name: str) -> None:
    """A file without an address names the index that its lock or project names; PDM's static addresses are kept."""
    (wheel,) = (
        wheel for wheel in select(lock_of(MADE / name), [SEEN], ExtrasAndGroups()).wheels if wheel.name == "binary"
    )
    if name in {"pdm-urls", "pdm-4.1"}:
        assert wheel.file.url == f"https://index.example/files/{wheel.file.filename}"
    else:
        assert wheel.file.url is None
        assert [str(index).rstrip("/") for index in wheel.file.indexes] == ["https://index.example/simple"]


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_project_is_noticed(tmp_path: Path, name: str) -> None:
    """The lock is fresh as the tool left it, and also after a change of what it does not depend on; a dependency more,
    or one in a group, makes it stale.
    """
    folder = tmp_path / name
    shutil.copytree(MADE / name, folder)
    assert lock_of(folder).fresh() is True
    path = folder / "pyproject.toml"
    text = path.read_text()
    path.write_text(text.replace("0.1.0", "0.2.0") + "\n[tool.other]\nx = 1\n")
    assert lock_of(folder).fresh() is True
    for old in ('"binary"', "binary =", 'tool = "^1', '"tool>=1"'):
        if old in text:
            path.write_text(text.replace(old, old.replace("binary", "binary-more").replace("1", "0")))
            assert tomllib.loads(path.read_text())
            assert lock_of(folder).fresh() is False


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_locked_is_refused(name: str) -> None:
    """An extra or group that there is not, and a Python that was not locked for, are errors with a way out."""
    lock = lock_of(MADE / name)
    with pytest.raises(NixpyError, match="no extra `none`") as error:
        lock.packages(SEEN, extras_and_groups(["none"], None))
    assert "fast" in error.value.message
    with pytest.raises(NixpyError, match="no group `none`"):
        lock.packages(SEEN, extras_and_groups([], ["none"]))
    if name not in {"pdm-4.4", "pdm-4.1", "pdm-3.1"}:  # which do not record their Pythons
        with pytest.raises(NixpyError, match=r"this lock is (not )?for"):
            lock.packages(Target(system="x86_64-linux", python="3.10.2", glibc=(2, 36)), ExtrasAndGroups())
