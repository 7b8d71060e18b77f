"""A folder with the locks of several tools: which one is read, and who says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixpy.project import project, several_locks
from runner import Nixpy

PROJECT = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = []\n'
EMPTY = 'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n'
UV = EMPTY + '[[package]]\nname = "demo"\nversion = "1"\nsource = { virtual = "." }\n'
POETRY = 'package = []\n[metadata]\nlock-version = "2.1"\npython-versions = ">=3.11"\ncontent-hash = ""\n'
PDM = '[metadata]\ngroups = ["default"]\nstrategy = ["inherit_metadata"]\nlock_version = "4.5.0"\ncontent_hash = ""\n'


def build(backend: str) -> str:
    """Return a pyproject.toml with a build back end."""
    return f'{PROJECT}[build-system]\nrequires = []\nbuild-backend = "{backend}"\n'


@pytest.mark.parametrize(
    ("pyproject", "uv", "expected"),
    [
        (PROJECT, UV, "uv.lock"),
        (PROJECT, EMPTY, "poetry.lock"),
        (PROJECT + "[tool.poetry]\n", UV, "poetry.lock"),
        (PROJECT + "[tool.pdm]\n", UV, "pdm.lock"),
        (PROJECT + "[tool.uv]\n[tool.poetry]\n", UV, "uv.lock"),
        (PROJECT + "[tool.uv]\n", EMPTY, "poetry.lock"),
        (PROJECT + '[tool.pdm]\n[tool.nixpy]\nmanager = "poetry"\n', UV, "poetry.lock"),
        (PROJECT + '[tool.pdm]\n[tool.nixpy]\nlock = "uv.lock"\n', EMPTY, "uv.lock"),
        (build("poetry.core.masonry.api"), UV, "poetry.lock"),
        (build("pdm.backend"), UV, "pdm.lock"),
        (build("hatchling.build"), UV, "uv.lock"),
        (PROJECT, "version = true\n", "uv.lock"),
    ],
)
def test_the_tool_of_the_project_decides(tmp_path: Path, pyproject: str, uv: str, expected: str) -> None:
    """The setting, the tables or the build back end name the tool; an empty lock comes last, a damaged one does not."""
    for name, text in {"pyproject.toml": pyproject, "uv.lock": uv, "poetry.lock": POETRY, "pdm.lock": PDM}.items():
        (tmp_path / name).write_text(text)
    found = project.read(tmp_path)
    assert found.lock == tmp_path / expected
    reported = [one.code for one in several_locks.diagnostics(found)]
    assert reported == ([] if found.settings.lock else ["NIX225"])


def test_several_locks_are_named(tmp_path: Path, nixpy: Nixpy) -> None:
    """`init` and `check` name the lock that is read and the others; of one lock they say nothing."""
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "uv.lock").write_text(EMPTY)
    (tmp_path / "poetry.lock").write_text(POETRY)
    done = nixpy("init", tmp_path, "--style", "loader", "--offline", "--python", "3.13")
    assert done.status == 0, done.err
    said = "this folder has poetry.lock and uv.lock; nixpy reads poetry.lock"
    assert said in done.out + done.err
    done = nixpy("check", tmp_path, "-v")
    assert done.status == 0, done.out + done.err
    assert said in done.out + done.err
    (tmp_path / "uv.lock").unlink()
    assert "NIX225" not in nixpy("check", tmp_path).out
