"""A lock format is one row of `formats.FORMATS` and one reader: a toy format needs no change of another module."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from pkgutil import resolve_name

import pytest

import shop
from elfbuild import shared_object
from nixpy.commands import check
from nixpy.core.target import Target
from nixpy.locks import formats
from nixpy.locks.model import ExtrasAndGroups
from nixpy.project import managers, project
from runner import Nixpy
from smallindex import build_wheel
from toylock import ToyLock

NAME = "toy.json"
ROWS = formats.FORMATS
TARGET = Target(system="x86_64-linux", python="3.13.0", glibc=(2, 40))


@pytest.fixture(autouse=True)
def toy_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row of the toy format."""
    toy = formats.Format(name=NAME, reader="toylock:ToyLock.read", tool="toy", relock="toy lock")
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, toy))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project whose lock is a toy's, with the wheel that it installs."""
    folder = shop.project(tmp_path / "demo", "pixel", extra='[tool.nixpy]\nsystems = ["x86_64-linux"]\n')
    lock(folder, "1.0", "libz.so.1")
    return folder


def lock(folder: Path, version: str, soname: str) -> None:
    """Lock that version of the one package, whose wheel links to a library."""
    build_wheel(
        folder,
        "pixel",
        version,
        "cp313-cp313-manylinux_2_17_x86_64",
        files={"pixel/core.so": shared_object([soname])},
    )
    (file,) = folder.glob(f"pixel-{version}-*.whl")
    files = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()}
    data = {"requires": ["pixel"], "packages": {"pixel": {"version": version, "files": files}}}
    (folder / NAME).write_text(json.dumps(data))


def test_a_project_has_the_lock(folder: Path) -> None:
    """The project is read with its lock; the row names no manager, so none installs from it."""
    found = project.read(folder)
    assert found.lock == folder / NAME
    assert isinstance(found.locked, ToyLock)
    assert [package.name for package in found.locked.packages(TARGET, ExtrasAndGroups())] == ["pixel"]
    assert managers.choose(found, None) == ("none", f"no manager reads {NAME}")


def test_a_scan_reads_the_lock(folder: Path, nixpy: Nixpy) -> None:
    """The project and the lock file alone name the same wheels and libraries."""
    for target in (folder, folder / NAME):
        report = nixpy("scan", target, "--system", "x86_64-linux", "--python", "3.13", "--format", "json").json
        assert [(wheel["name"], wheel["version"]) for wheel in report["wheels"]] == [("pixel", "1.0")]
        assert [library["soname"] for library in report["libraries"]] == ["libz.so.1"]


def test_a_check_notices_what_changed(folder: Path, nixpy: Nixpy) -> None:
    """After `init` nothing differs; then another wheel is locked, and then another package is required."""

    def reasons() -> list[str]:
        return [reason.message for reason in verdict().reasons]

    def verdict() -> check.Verdict:
        return check.check(project.read(folder))

    ran = nixpy("init", folder, "--style", "loader", "--python", "3.13")
    assert ran.status == 0, ran.err
    assert "libz.so.1" in (folder / "nixpy.nix").read_text()
    assert reasons() == []
    lock(folder, "1.1", "libexpat.so.1")
    assert reasons() == [f"{NAME} installs pixel 1.1, which nixpy has not analysed"]
    text = (folder / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(text.replace('"pixel"', '"pixel",\n"voxel"'))
    assert f"{NAME} is out of date: the requirement for voxel changed" in reasons()
    assert verdict().remedy == "run `toy lock`, then `nixpy sync`"


def test_a_lock_of_an_unknown_format_is_an_error_that_lists_the_row(folder: Path, nixpy: Nixpy) -> None:
    """The message lists the formats of the table."""
    (folder / "other.lock").write_text("")
    assert f"pdm.lock and {NAME}" in nixpy("scan", folder / "other.lock").err


@pytest.mark.parametrize("text", ["templates/flake/envrc.jinja", "docs/reference/files.md"])
def test_texts_name_every_format(text: str) -> None:
    """What direnv watches and what the page about files lists has every row of the table."""
    content = (Path(__file__).parents[2] / text).read_text()
    assert [one.name for one in ROWS if one.name not in content] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_is_true(row: formats.Format) -> None:
    """Its reader exists, its managers are nixpy's, and a file of its name has this format."""
    assert callable(resolve_name(row.reader))
    assert {*row.managers} <= {*managers.NAMES}
    assert formats.format_of(Path("folder", row.name)) is row
