"""SARIF holds against OASIS's schema, whatever the names, settings and files of a project hold."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import ValidationError

import shop
from runner import Nixpy, oasis

NAMES = [
    "plain",
    "with blanks",
    "a:b",
    "%41",
    "a#b?c",
    "[x](y) {0}",
    "\\back",
    "\u202e\u2028\x1b[31m",
    "é\U0001f600",
    os.fsdecode(b"bad\xff"),
    "a\nb\tc",
    "a" * 250,
]


def texts(name: str) -> list[str]:
    """Return what makes each state of a project: texts that follow its settings, or stand for them."""
    return ["", '\nenv = { A = "[x](https://evil.example) {0} \\u202e" }\n', "[project\n", f"\nstyle = {name!r}\n"]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_hostile_text(name: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """A project of any name is valid SARIF while it is not generated, up to date, out of date, edited and damaged."""
    (tmp_path / ".git").mkdir()
    project = shop.project(tmp_path / name, "alpha")
    results = [nixpy("check", project, "--format", "sarif").json["runs"][0]["results"]]
    assert nixpy("init", project, "--style", "loader").status == 0
    settings = (project / "pyproject.toml").read_bytes()
    for text in texts(name):
        (project / "pyproject.toml").write_bytes(settings + text.encode("utf-8", "backslashreplace"))
        results.append(nixpy("check", project, "--format", "sarif").json["runs"][0]["results"])
    (project / "pyproject.toml").write_bytes(settings)
    path = project / "nixpy.nix"
    path.write_text(path.read_text() + f"# {name}\n", errors="backslashreplace")
    results.append(nixpy("check", tmp_path, "--all", "--diff", "--format", "sarif").json["runs"][0]["results"])
    assert [bool(found) for found in results] == [True, False, True, True, True, True]


def test_schema_refuses_what_is_wrong(tmp_path: Path, nixpy: Nixpy) -> None:
    """The schema that the tests use is strict: wrong addresses, lines, levels and unknown properties are not valid."""
    found = nixpy("check", shop.project(tmp_path, "alpha"), "--format", "sarif").json
    for change in (address, line, level, unknown):
        wrong = copy.deepcopy(found)
        change(wrong["runs"][0]["results"][0])
        with pytest.raises(ValidationError):
            oasis().validate(wrong)


def address(result: Any) -> None:
    result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] = "a b"


def line(result: Any) -> None:
    result["locations"][0]["physicalLocation"]["region"]["startLine"] = 0


def level(result: Any) -> None:
    result["level"] = "notice"


def unknown(result: Any) -> None:
    result["unknown"] = 1
