"""The projects of a repository are found, also those without settings of nixpy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from nixpy.core.errors import ProjectError
from nixpy.project.discover import declared_name, refuse_repository, survey

WORKSPACE = """\
[project]
name = "shop"
version = "1"
[tool.uv.workspace]
members = ["packages/*"]
exclude = ["packages/apart"]
"""
PROJECT = '[project]\nname = "{}"\nversion = "1"\n'


def write(root: Path, files: dict[str, str]) -> Path:
    """Write files below a folder and return it."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def found(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in survey(root).projects]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", PROJECT.format("a")),
        ("pyproject.toml", '[dependency-groups]\ndev = ["a"]\n'),
        ("pyproject.toml", '[tool.poetry]\nname = "a"\n'),
        ("pyproject.toml", '[tool.uv.workspace]\nmembers = ["packages/*"]\n'),
        ("pyproject.toml", '[tool.nixpy]\nstyle = "loader"\n'),
        ("pyproject.toml", "damaged = ["),
        ("nixpy.toml", ""),
        ("requirements.txt", "a\n"),
        ("requirements.in", "a\n"),
        ("setup.py", "import setuptools\n"),
        ("setup.cfg", "[metadata]\nname = a\n"),
        ("pdm.lock", ""),
        ("Pipfile.lock", "{}"),
    ],
)
def test_a_file_that_makes_a_project(file: str, text: str, tmp_path: Path) -> None:
    """Each of these files alone makes its folder a project."""
    write(tmp_path, {f"a/b/{file}": text})
    assert found(tmp_path) == ["a/b"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", "[tool.ruff]\nline-length = 100\n"),
        ("setup.cfg", "[flake8]\nmax-line-length = 100\n"),
        ("nixpy.lock", "{}"),
        ("requirements.md", ""),
    ],
)
def test_settings_of_other_tools_make_no_project(file: str, text: str, tmp_path: Path) -> None:
    """A file with settings of other tools only is no project."""
    write(tmp_path, {f"a/{file}": text})
    assert found(tmp_path) == []


@pytest.mark.parametrize("folder", [".hidden", "node_modules/x", "a/.venv/lib"])
def test_folders_that_are_skipped(folder: str, tmp_path: Path) -> None:
    """Hidden folders and node_modules have no projects."""
    write(tmp_path, {f"{folder}/requirements.txt": "a\n"})
    assert found(tmp_path) == []


def test_an_environment_is_skipped(tmp_path: Path) -> None:
    """A virtual environment of any name has no projects."""
    write(tmp_path, {"env/pyvenv.cfg": "", "env/lib/x/setup.py": "", "env/setup.py": ""})
    assert found(tmp_path) == []


def test_ignored_folders_are_skipped(tmp_path: Path) -> None:
    """A folder that git ignores has no projects, whichever .gitignore names it."""
    write(tmp_path, {"top/out/x/setup.py": "", "top/kept/setup.py": "", "top/more/build/setup.py": ""})
    write(tmp_path / "top", {".gitignore": "/out\n", "more/.gitignore": "build/\n", "more/setup.py": ""})
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path / "top", check=True)
    assert found(tmp_path / "top") == ["kept", "more"]
    assert found(tmp_path) == ["top/kept", "top/more", "top/more/build", "top/out/x"]


def test_a_damaged_repository_hides_nothing(tmp_path: Path) -> None:
    """If git cannot tell what it ignores, every project is found."""
    write(tmp_path, {".git/HEAD": "damaged", ".gitignore": "/a\n", "a/setup.py": ""})
    assert found(tmp_path) == ["a"]


def test_members_belong_to_their_workspace(tmp_path: Path) -> None:
    """Members are left out; excluded folders, and members with settings of nixpy, are projects of their own."""
    write(tmp_path, {"pyproject.toml": WORKSPACE})
    write(tmp_path, {f"packages/{name}/pyproject.toml": PROJECT.format(name) for name in ("one", "two", "apart")})
    repository = survey(tmp_path)
    assert found(tmp_path) == [".", "packages/apart"]
    assert [path.name for path in repository.left_out] == ["one", "two"]
    assert {*repository.left_out.values()} == {f"members of the uv workspace in {tmp_path}"}
    write(tmp_path, {"packages/one/nixpy.toml": ""})
    assert found(tmp_path) == [".", "packages/apart", "packages/one"]


@pytest.mark.parametrize("members", ['"*"', '["/absolute"]', "[1]", "{ a = 1 }"])
def test_invalid_patterns_of_members(members: str, tmp_path: Path) -> None:
    """A pattern that uv refuses leaves nothing out."""
    write(tmp_path, {"pyproject.toml": f"[tool.uv.workspace]\nmembers = {members}\n", "a/setup.py": ""})
    assert found(tmp_path) == [".", "a"]


def test_requirements_for_documentation(tmp_path: Path) -> None:
    """Requirements in docs or tests are left out; a project there is not."""
    write(tmp_path, {"docs/requirements.txt": "", "tests/a/requirements.txt": "", "tests/b/setup.py": ""})
    repository = survey(tmp_path)
    assert found(tmp_path) == ["tests/b"]
    assert [path.name for path in repository.left_out] == ["docs", "a"]


def test_the_name_of_a_project(tmp_path: Path) -> None:
    """It is that of [project] or of Poetry; without one there is none."""
    for text, name in (
        (PROJECT.format("A.b"), "A.b"),
        ('[tool.poetry]\nname = "c"\n', "c"),
        ("[project]\nname = 1\n", None),
        ("damaged = [", None),
        ("", None),
    ):
        write(tmp_path, {"pyproject.toml": text})
        assert declared_name(tmp_path) == name
    assert declared_name(tmp_path / "nothing") is None


def test_an_error_above_projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error counts the projects and names the command for all, or `init --all` as long as none has settings."""
    monkeypatch.chdir(tmp_path)
    refuse_repository(tmp_path, "check")
    write(tmp_path, {"pyproject.toml": "[tool.ruff]\n", "a b/setup.py": "", "c/setup.py": ""})
    told = {}
    for command in ("init", "check", "doctor"):
        with pytest.raises(ProjectError, match="no Python project in this folder, but 2 projects below it") as error:
            refuse_repository(tmp_path, command)
        told[command] = error.value.hint
    assert told == {
        "init": "Run `nixpy init --all`, or `nixpy init 'a b'` for one project.",
        "check": "Run `nixpy init --all` first.",
        "doctor": "Run `nixpy init --all` first.",
    }
    write(tmp_path, {"c/nixpy.toml": ""})
    for command, every in (("sync", "sync"), ("check", "check"), ("doctor", "check")):
        with pytest.raises(ProjectError) as error:
            refuse_repository(tmp_path, command)
        assert error.value.hint == f"Run `nixpy {every} --all`, or `nixpy {command} c` for one project."
    write(tmp_path, {"setup.py": ""})
    refuse_repository(tmp_path, "check")


def test_the_search_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder with very many folders, the error says that there may be more projects."""
    monkeypatch.setattr("nixpy.project.discover._MOST", 5)
    write(tmp_path, {f"{number}/setup.py": "" for number in range(9)})
    with pytest.raises(ProjectError, match="but 4 or more projects below it"):
        refuse_repository(tmp_path, "check")
