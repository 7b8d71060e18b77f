"""Dynamic dependencies are read from the files that pyproject.toml names for setuptools and hatchling."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from nixpy.core.errors import NixpyError
from nixpy.project import dynamic
from nixpy.project.dependencies import Dependencies

SETUPTOOLS = '[tool.setuptools.dynamic]\ndependencies = { file = ["a.txt", "b.txt"] }\n'
ONE = '[tool.setuptools.dynamic]\ndependencies.file = "a.txt"\n'
HATCH = '[tool.hatch.metadata.hooks.requirements_txt]\nfiles = ["a.txt"]\n'
EXTRAS = '[tool.setuptools.dynamic.optional-dependencies]\nFast = { file = ["b.txt"] }\nnone = { file = "empty.txt" }\n'
HATCH_EXTRAS = '[tool.hatch.metadata.hooks.requirements_txt.optional-dependencies]\nFast = ["b.txt"]\n'
A = "# comment\n\nnumpy >= 2  # why\nleaf[x]; sys_platform == 'linux'\nfar @ https://files.example/far-1.tar.gz#sha256=ab\n"
FILES = {"a.txt": A, "b.txt": "tree \\\n  >=1\n", "empty.txt": "\n"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(("text", "number"), [(SETUPTOOLS, 4), (ONE, 3), (HATCH, 3)])
def test_the_files_are_read(folder: Path, text: str, number: int) -> None:
    """Comments and blank lines are left out, an address keeps its fragment, a line may go on in the next."""
    found = dynamic.dependencies(tomllib.loads(text), folder)
    wanted = ["numpy>=2", 'leaf[x]; sys_platform == "linux"', "far @ https://files.example/far-1.tar.gz#sha256=ab"]
    assert found is not None
    assert list(map(str, found)) == [*wanted, "tree>=1"][:number]


@pytest.mark.parametrize("text", [EXTRAS, HATCH_EXTRAS])
def test_the_files_of_extras_are_read(folder: Path, text: str) -> None:
    """Each extra has the requirements of its own files."""
    found = dynamic.optional(tomllib.loads(text), folder)
    assert found is not None
    assert list(map(str, found["Fast"])) == ["tree>=1"]
    assert found.get("none", ()) == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tool = 1\n",
        "[tool.setuptools]\ndynamic = 1\n",
        '[tool.setuptools.dynamic]\ndependencies = { attr = "pkg.requires" }\n',
        '[tool.setuptools.dynamic]\ndependencies = { file = ["gone.txt"] }\n',
        '[tool.setuptools.dynamic]\ndependencies = { file = ["options.txt"] }\n',
        "[tool.setuptools.dynamic]\ndependencies = { file = [1] }\n",
    ],
)
def test_what_is_not_in_files_is_unknown(folder: Path, text: str) -> None:
    """A missing file, an option of pip and everything that a back end computes make the requirements unknown."""
    (folder / "options.txt").write_text("-r a.txt\n")
    assert dynamic.dependencies(tomllib.loads(text), folder) is None
    assert dynamic.optional(tomllib.loads(text), folder) is None


def test_a_project_with_a_lock_has_them(folder: Path) -> None:
    """They are the project's requirements where a lock says which versions; without one only a build can tell."""
    head = '[project]\nname = "demo"\ndynamic = ["dependencies", "optional-dependencies"]\n'
    data = tomllib.loads(head + ONE + EXTRAS)
    path = folder / "pyproject.toml"
    found = Dependencies.from_pyproject(data, path, locked=True)
    assert (found.complete, found.extras_known) == (True, True)
    assert [one.name for one in found.select(["fast"])] == ["numpy", "leaf", "far", "tree"]
    (folder / "a.txt").unlink()
    found = Dependencies.from_pyproject(data, path, locked=True)
    assert (found.complete, found.dependencies) == (False, ())
    with pytest.raises(NixpyError, match="is dynamic"):
        Dependencies.from_pyproject(data, path)
