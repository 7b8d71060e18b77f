"""Folders as people have them: where the dependencies stand, and what is said when they stand nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixpy.core.errors import NixpyError
from nixpy.project import project

DYNAMIC = '[project]\nname = "demo"\nversion = "1"\ndynamic = ["dependencies"]\n'
POETRY = '[tool.poetry]\nname = "demo"\n[dependency-groups]\ndev = []\n'
LOCK = 'lock-version = "1.0"\ncreated-by = "test"\npackages = []\n'


@pytest.mark.parametrize("text", [DYNAMIC, POETRY])
def test_a_lock_tells_what_pyproject_does_not(tmp_path: Path, text: str) -> None:
    """Dynamic dependencies, and those in Poetry's table, need a lock; with one the project is read."""
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(NixpyError) as caught:
        project.read(tmp_path)
    assert caught.value.path == tmp_path / "pyproject.toml"
    assert "lock" in str(caught.value.hint)
    (tmp_path / "pylock.toml").write_text(LOCK)
    found = project.read(tmp_path)
    assert found.source == tmp_path / "pylock.toml"
    assert found.dependencies
    assert not found.dependencies.complete


@pytest.mark.parametrize(
    ("files", "name", "remedy"),
    [
        ({"pyproject.toml": '[tool.poetry]\nname = "x"\n'}, "pyproject.toml", "poetry lock"),
        (
            {"setup.py": "import setuptools\n"},
            "setup.py",
            "uv pip compile --universal {0}/setup.py -o {0}/requirements.txt",
        ),
        (
            {"setup.cfg": "[options]\ninstall_requires = file: base.txt\n"},
            "setup.cfg",
            "uv pip compile --universal {0}/setup.cfg -o {0}/requirements.txt",
        ),
        ({"setup.cfg": "[flake8]\nmax-line-length = 100\n"}, "", "Name the folder of the project"),
        ({"pyproject.toml": "tool = 3\n"}, "pyproject.toml", "None"),
        ({"pyproject.toml": "[build-system]\nrequires = []\n"}, "", "Name the folder of the project"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(tmp_path: Path, files: dict[str, str], name: str, remedy: str) -> None:
    """A folder whose dependencies nixpy cannot know is an error that names the file and the way out."""
    for path, text in files.items():
        (tmp_path / path).write_text(text)
    with pytest.raises(NixpyError) as caught:
        project.read(tmp_path)
    assert caught.value.path == tmp_path / name
    assert remedy.format(tmp_path) in str(caught.value.hint)


def test_a_project_is_another_by_its_name(tmp_path: Path) -> None:
    """Two that ask for the same are told apart by their digests, by which a shell knows its own folder."""
    lines = []
    for name in ("one", "two"):
        text = f'[project]\nname = "{name}"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["numpy"]\n'
        (tmp_path / "pyproject.toml").write_text(text)
        lines.append(set(project.read(tmp_path).canonical(())))
    assert lines[0] ^ lines[1] == {"name one", "name two"}
