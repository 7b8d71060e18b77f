"""Merge conflicts: in generated files `nixpy sync` ends them, in other files they are one error with the line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from runner import Nixpy

DOCS = Path(__file__).parents[2] / "docs/reference/files.md"
CONFLICT = "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n"


def git(folder: Path, *words: str, status: int = 0) -> str:
    """Run git as a user does, with a name for commits."""
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "merge.conflictStyle=merge")
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout


def merged(folder: Path, nixpy: Nixpy, attributes: str = "") -> None:
    """Make a project whose two branches have another Python each, and merge them; pyproject.toml is resolved."""
    pyproject = folder / "pyproject.toml"
    pyproject.write_text('[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = []\n')
    (folder / ".gitattributes").write_text(attributes)
    assert nixpy("init", folder, "--offline").status == 0
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    for branch, python in (("other", "3.12"), ("ours", "3.11")):
        git(folder, "checkout", "-q", "-b", branch, "main")
        assert nixpy("init", folder, "--offline", "--python", python).status == 0
        git(folder, "commit", "-qam", branch)
    git(folder, "merge", "-q", "other", status=1)
    git(folder, "checkout", "--theirs", "pyproject.toml")


def test_sync_ends_a_conflict_in_generated_files(tmp_path: Path, nixpy: Nixpy) -> None:
    """After a merge by git, `check` says what happened, with exit status 1; `sync` needs no --force."""
    merged(tmp_path, nixpy)
    assert "<<<<<<<" in (tmp_path / "nixpy.nix").read_text()
    found = nixpy("check", tmp_path, "--format", "json")
    assert (found.status, found.project["state"]) == (1, "merge conflict")
    assert found.project["remedy"] == "run `nixpy sync`, which generates the file again"
    assert "nixpy.lock: in a merge conflict" in nixpy("check", tmp_path).out
    sarif = nixpy("check", tmp_path, "--format", "sarif").json["runs"][0]
    assert {one["ruleId"] for one in sarif["results"]} == {"merge-conflict"}
    assert nixpy("sync", tmp_path, "--offline").status == 0
    assert nixpy("check", tmp_path, "--strict").status == 0


def test_the_attributes_of_the_docs_keep_one_side(tmp_path: Path, nixpy: Nixpy) -> None:
    """With the lines in docs/reference/files.md, git leaves our side of the generated files, and `sync` brings them
    up to date.
    """
    attributes = DOCS.read_text().partition("```text .gitattributes\n")[2].partition("```")[0]
    assert "nixpy.lock" in attributes
    merged(tmp_path, nixpy, attributes)
    assert "<<<<<<<" not in (tmp_path / "nixpy.nix").read_text() + (tmp_path / "nixpy.lock").read_text()
    assert "nixpy.lock" in git(tmp_path, "diff", "--name-only", "--diff-filter=U")
    assert nixpy("check", tmp_path, "--format", "json").project["state"] == "stale"
    assert nixpy("sync", tmp_path, "--offline").status == 0
    assert nixpy("check", tmp_path, "--strict").status == 0


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("requirements.txt", "gamma\n" + CONFLICT.format("alpha", "beta"), 2),
        ("Pipfile.lock", '{\n  "_meta": {\n' + CONFLICT.format('"a": 1', '"a": 2') + "}}\n", 3),
        ("pyproject.toml", '[project]\nname = "demo"\n' + CONFLICT.format('version = "1"', 'version = "2"'), 3),
        ("uv.lock", "version = 1\n" + CONFLICT.format("revision = 1", "revision = 2"), 2),
        ("poetry.lock", CONFLICT.format("[a]", "[b]"), 1),
        ("setup.py", "from setuptools import setup\n" + CONFLICT.format("a = 1", "a = 2") + "setup()\n", 2),
        ("setup.cfg", "[metadata]\n" + CONFLICT.format("name = demo", "name = other"), 2),
    ],
)
def test_a_conflict_in_a_file_of_the_project(name: str, text: str, line: int, tmp_path: Path, nixpy: Nixpy) -> None:
    """It is one error with the file and the line; no other syntax error is shown."""
    if name.endswith(".lock") and name != "Pipfile.lock":
        (tmp_path / "pyproject.toml").write_text('[project]\nname = "demo"\nversion = "1"\ndependencies = []\n')
    if name == "setup.cfg":
        (tmp_path / "setup.py").write_text("from setuptools import setup\nsetup()\n")
    (tmp_path / name).write_text(text)
    ran = nixpy("init", tmp_path, "--offline")
    assert ran.status == 2
    assert ran.err.count("error") == 1
    assert f"{name}:{line}: this file contains an unresolved merge conflict" in ran.err


def test_such_a_line_is_no_conflict_elsewhere(tmp_path: Path, nixpy: Nixpy) -> None:
    """In a string that spans lines, it is text like any other."""
    text = '[project]\nname = "demo"\nversion = "1"\ndependencies = []\n[tool.x]\nart = """\n<<<<<<< HEAD\n"""\n'
    (tmp_path / "pyproject.toml").write_text(text)
    assert nixpy("init", tmp_path, "--offline").status == 0


def test_a_removed_file_has_one_remedy(tmp_path: Path, nixpy: Nixpy) -> None:
    """Without nixpy.lock, `check`, `doctor` and `sync` agree: `nixpy sync` writes it again."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "demo"\nversion = "1"\ndependencies = []\n')
    assert nixpy("check", tmp_path, "--format", "json").project["remedy"] == "run `nixpy init`"
    assert nixpy("init", tmp_path, "--offline").status == 0
    (tmp_path / "nixpy.lock").unlink()
    assert nixpy("check", tmp_path, "--format", "json").project["remedy"] == "run `nixpy sync`"
    found = {one["code"]: one["command"] for one in nixpy("doctor", tmp_path, "--format", "json").json["findings"]}
    assert found["NIX416"] == "nixpy sync"
    assert nixpy("sync", tmp_path, "--offline").status == 0
    assert nixpy("check", tmp_path).status == 0
