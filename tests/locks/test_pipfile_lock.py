"""Pipfile.lock, read as the requirements file that it is in effect."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from nixpy.core.errors import NixpyError
from nixpy.locks import pipfile
from nixpy.project import project
from runner import Nixpy
from smallindex import SmallIndex

MADE = Path(__file__).parent / "made/pipenv/Pipfile.lock"


def test_what_pipenv_locked_is_asked_for() -> None:
    """Each package comes with its version, extras, marker and hashes, those for development among them; the index is
    that of the Pipfile.
    """
    found = pipfile.read(MADE)
    asked = {str(line.requirement): line for line in found.requirements}
    assert {
        'backport==1.0; python_version < "3.12"',
        "binary==1.0",
        "helper==1.0",
        "leaf==1.0",
        'mixed.name==1.0; sys_platform == "linux"',
        "nested[deep]==1.0",
        'only-linux==1.0; sys_platform == "linux"',
        "tool==1.0",
    } == set(asked)
    assert len(asked["binary==1.0"].hashes) == 4
    assert found.index_urls == ("https://index.example/simple/",)
    assert asked["tool==1.0"].line > asked["binary==1.0"].line > 1


def test_the_groups_of_the_settings_decide(tmp_path: Path) -> None:
    """Of the sections only the default one and those named are read; unnamed, that for development is among them."""

    def asked(groups: set[str] | None) -> set[str]:
        return {line.requirement.name for line in pipfile.read(path, groups=groups).requirements if line.requirement}

    lock = json.loads(MADE.read_text())
    lock["Docs"] = {"maker": {"version": "==1.0"}}
    path = tmp_path / "Pipfile.lock"
    path.write_text(json.dumps(lock, indent=4))
    everywhere = asked(set())
    assert "binary" in everywhere
    assert asked(None) - everywhere == asked({"develop"}) - everywhere == {"tool"}
    assert asked({"docs"}) - everywhere == {"maker"}
    with pytest.raises(NixpyError, match="the lock has no group `test`") as error:
        pipfile.read(path, groups={"test"})
    assert (error.value.path, error.value.hint) == (path, "Choose from Docs, develop.")


@pytest.mark.parametrize(
    ("requires", "found"),
    [
        ({}, None),
        ({"python_version": "3.12"}, "==3.12.*"),
        ({"python_full_version": "3.12.4"}, "==3.12.*"),
        ({"python_version": "3.12", "python_full_version": "3.12.4"}, "==3.12.*"),
        ({"python_version": "*"}, None),
    ],
)
def test_the_python_of_a_pipfile(tmp_path: Path, requires: dict[str, str], found: str | None) -> None:
    """The Python of [requires] is that of the project, in any patch release."""
    lock = json.loads(MADE.read_text())
    lock["_meta"]["requires"] = requires
    (tmp_path / "Pipfile.lock").write_text(json.dumps(lock))
    wanted = None if found is None else SpecifierSet(found)
    assert pipfile.read(tmp_path / "Pipfile.lock").requires_python == wanted
    assert project.read(tmp_path).requires_python == wanted


@pytest.mark.parametrize(
    ("old", "new", "message", "line"),
    [
        ('"pipfile-spec": 6', '"pipfile-spec": 7', "does not have version 6", None),
        ('"default": {', '"default": {,', "not valid JSON", 16),
        ('"==1.0"', "3", "damaged", None),
        ('"==1.0"', '"=!1"', "is not a requirement", 17),
        ('"sha256"', "[]", "not valid JSON", 4),
    ],
)
def test_a_damaged_one_is_refused(tmp_path: Path, old: str, new: str, message: str, line: int | None) -> None:
    """What Pipenv would not have written is an error that names the file, and the line where there is one."""
    path = tmp_path / "Pipfile.lock"
    text = MADE.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(NixpyError, match=message) as error:
        pipfile.read(path)
    assert (error.value.path, bool(error.value.hint)) == (path, True)
    assert line is None or error.value.line == line


def test_a_project_of_pipenvs_is_analysed(tmp_path: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """`init` opens the wheels that the hashes of the lock admit, `check` is content, and nobody fills .venv."""
    files = {path.name for path in index.folder.glob("alpha-1.0-cp313-cp313-manylinux*")}
    digests = sorted(hashlib.sha256((index.folder / name).read_bytes()).hexdigest() for name in files)
    lock = json.loads(MADE.read_text())
    lock["_meta"]["sources"][0]["url"] = index.url
    lock["default"] = {"alpha": {"hashes": [f"sha256:{digest}" for digest in digests], "version": "==1.0"}}
    lock["develop"] = {}
    shutil.copyfile(MADE.with_name("Pipfile"), tmp_path / "Pipfile")
    (tmp_path / "Pipfile.lock").write_text(json.dumps(lock, indent=4))
    done = nixpy("init", tmp_path, "--style", "loader", "--system", "x86_64-linux")
    assert done.status == 0, done.err
    assert "libz.so.1" in (tmp_path / "nixpy.nix").read_text()
    assert "no manager reads Pipfile.lock" in done.out
    assert nixpy("check", tmp_path).status == 0
    settings = tmp_path / "nixpy.toml"
    plain = settings.read_text()
    settings.write_text('groups = ["develop"]\n' + plain)
    assert nixpy("sync", tmp_path).status == 0
    settings.write_text('groups = ["docs"]\n' + plain)
    refused = nixpy("sync", tmp_path)
    assert (refused.status, "the lock has no group `docs`" in refused.err) == (2, True)
