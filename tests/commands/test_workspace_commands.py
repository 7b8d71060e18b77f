"""uv workspaces: init, scan and check in the root and in members, and what uv says of the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import shop
from realuv import RealUv
from runner import Nixpy
from smallindex import SmallIndex

pytestmark = pytest.mark.slow  # uv locks the workspace

ROOT = """\
[dependency-groups]
dev = ["gamma"]
docs = ["weasyprint"]

[tool.uv.workspace]
members = ["member", "packages/*"]
exclude = ["packages/excluded"]
"""
# A back end that computes the requirements as setuptools does: from the files that pyproject.toml names.
BACKEND = """\
import os, pathlib, tomllib

def prepare_metadata_for_build_editable(folder, settings=None):
    table = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["tool"]["setuptools"]["dynamic"]
    lines = ["Metadata-Version: 2.1", "Name: dynamic", "Version: 1"]
    for name in table["dependencies"]["file"]:
        kept = (line.partition("#")[0].strip() for line in pathlib.Path(name).read_text().splitlines())
        lines += [f"Requires-Dist: {line}" for line in kept if line]
    for extra, one in table["optional-dependencies"].items():
        lines.append(f"Provides-Extra: {extra}")
        for line in pathlib.Path(*one["file"]).read_text().splitlines():
            lines.append(f"Requires-Dist: {line}; extra == '{extra}'")
    made = pathlib.Path(folder, "dynamic-1.dist-info")
    made.mkdir()
    (made / "METADATA").write_text("\\n".join(lines) + "\\n")
    return made.name

prepare_metadata_for_build_wheel = prepare_metadata_for_build_editable
"""
DYNAMIC = """\
[project]
name = "dynamic"
version = "1"
requires-python = ">=3.11"
dynamic = ["dependencies", "optional-dependencies"]
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[tool.setuptools.dynamic]
dependencies = { file = ["requirements.txt"] }
optional-dependencies.fast = { file = ["fast.txt"] }
"""


def write(folder: Path, name: str, *requirements: str, extra: str = "") -> Path:
    """Write the pyproject.toml of a member."""
    path = shop.project(folder, *requirements, extra=extra) / "pyproject.toml"
    path.write_text(path.read_text().replace('"demo"', f'"{name}"'))
    return path


def uv_of(folder: Path, index: SmallIndex) -> RealUv:
    """Return uv in a folder, with a cache of its own, so that it does not keep what a back end said before."""
    return RealUv(folder=folder, index_url=index.url, cache=folder.parent / "uv-cache")


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory, index: SmallIndex) -> Path:
    """Return a workspace that uv locked: its root has no [project]."""
    root = tmp_path_factory.mktemp("locked") / "ws"
    write(root / "member", "member", "alpha", extra='[project.optional-dependencies]\nfast = ["delta"]\n')
    write(root / "packages/other", "other", "beta", "member", extra="[tool.uv.sources]\nmember.workspace = true\n")
    write(root / "packages/excluded", "excluded", "omega")
    dynamic = root / "packages/dynamic"
    dynamic.mkdir()
    files = {"pyproject.toml": DYNAMIC, "backend.py": BACKEND, "requirements.txt": "gamma>=1 # why\n"}
    for name, text in {**files, "fast.txt": "epsilon\n"}.items():
        (dynamic / name).write_text(text)
    (root / "pyproject.toml").write_text(ROOT)
    uv_of(root, index).run("lock", "--quiet")
    return root


@pytest.fixture
def workspace(locked: Path, tmp_path: Path) -> Path:
    """Return a copy of the workspace."""
    return shutil.copytree(locked, tmp_path / "ws")


def test_the_root_analyses_all_members(workspace: Path, nixpy: Nixpy) -> None:
    """What any member needs is supplied in the shell of the root, which installs all members; a setting names some."""
    report = nixpy("init", workspace, "--style", "loader", "--format", "json").project
    assert (report["workspace"], report["members"]) == (".", ["dynamic", "member", "other"])
    needed = {name for library in report["libraries"] for name in library["needed_by"]}
    assert "alpha" in needed
    assert "weasyprint" not in needed  # of a group that is not a default one
    assert 'install = "uv sync --frozen --all-packages";' in (workspace / "nixpy.nix").read_text()
    assert nixpy("check", workspace).status == 0
    path = workspace / "pyproject.toml"
    path.write_text(path.read_text() + 'members = ["dynamic"]\n')
    assert nixpy("check", workspace).status == 1
    report = nixpy("sync", workspace, "--format", "json").project
    assert (report["members"], report["libraries"]) == (["dynamic"], [])
    assert 'install = "uv sync --frozen --package=dynamic";' in (workspace / "nixpy.nix").read_text()
    path.write_text(path.read_text().replace('["dynamic"]', '["dinamic"]'))
    done = nixpy("check", workspace)
    assert done.status == 2
    assert "the workspace has no member `dinamic`" in done.err
    assert "Did you mean `dynamic`?" in done.err


def test_a_member_uses_the_workspace(workspace: Path, nixpy: Nixpy) -> None:
    """In a member, init says where .venv and nixpy.lock are; it analyses what the member installs."""
    done = nixpy("init", "--style", "loader", cwd=workspace / "packages/other")
    assert done.status == 0
    line = next(line for line in done.out.splitlines() if line.startswith("workspace"))
    assert line.split(maxsplit=2)[1:] == [
        "../..",
        "member other; its environment is ../../.venv, nixpy.lock is in this folder",
    ]
    text = (workspace / "packages/other/nixpy.nix").read_text()
    assert 'install = "uv sync --frozen --package=other";' in text
    assert 'venv = "../../.venv";' in text
    assert '"libz.so.1" = ' in text  # of alpha, which the other member requires
    assert nixpy("check").status == 0
    scanned = nixpy("scan", "--format", "json").json
    assert {wheel["name"] for wheel in scanned["wheels"]} >= {"alpha", "beta"}


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("member/pyproject.toml", '"alpha",', '"alpha", "epsilon",', "epsilon changed in member/pyproject.toml"),
        ("member/pyproject.toml", '["delta"]', '["delta", "gamma"]', "gamma changed in member/pyproject.toml"),
        ("member/pyproject.toml", "[project.opt", '[dependency-groups]\nnew = ["gamma"]\n[project.opt', "for gamma"),
        ("pyproject.toml", '["gamma"]', "[]", "the requirement for gamma changed"),
        ("packages/dynamic/requirements.txt", "gamma", "alpha\ngamma", "the requirement for alpha changed"),
        ("packages/dynamic/fast.txt", "epsilon", "gamma", "the requirement for epsilon, gamma changed"),
        (
            "pyproject.toml",
            'exclude = ["packages/excluded"]',
            "",
            "it lacks 1 member of the workspace: packages/excluded",
        ),
        ("pyproject.toml", "/excluded", "/*", "packages/dynamic, packages/other are no longer members"),
    ],
)
def test_changes_of_members_are_seen(
    workspace: Path, nixpy: Nixpy, index: SmallIndex, file: str, old: str, new: str, reason: str
) -> None:
    """`check` is out of date where `uv lock --check` is, and names the file."""
    assert nixpy("init", workspace, "--style", "loader").status == 0
    path = workspace / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert uv_of(workspace, index).attempt("lock", "--check").returncode != 0
    done = nixpy("check", workspace)
    assert done.status == 1
    assert reason in done.out
    assert "Run `uv lock`" in done.out


def test_a_member_sees_the_changes_of_others(workspace: Path, nixpy: Nixpy) -> None:
    """The lock of a workspace is out of date for all members, as `uv lock --check` fails in each."""
    assert nixpy("init", workspace / "packages/other", "--style", "loader").status == 0
    path = workspace / "member/pyproject.toml"
    path.write_text(path.read_text().replace('"alpha",', '"alpha", "epsilon",'))
    done = nixpy("check", workspace / "packages/other")
    assert done.status == 1
    assert "the requirement for epsilon changed in ../../member/pyproject.toml" in done.out


def test_without_a_change_all_agree(workspace: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """A fresh lock is fresh to uv and to nixpy, also after a change that means the same."""
    assert nixpy("init", workspace, "--style", "loader").status == 0
    path = workspace / "packages/dynamic/requirements.txt"
    path.write_text("# a comment\n\nGamma >= 1\n")
    (workspace / "packages/excluded/pyproject.toml").write_text("[project]\nname = 'other'\n")
    assert uv_of(workspace, index).attempt("lock", "--check").returncode == 0
    assert nixpy("check", workspace).status == 0


def test_a_workspace_without_a_lock_is_named(workspace: Path, nixpy: Nixpy) -> None:
    """Without uv.lock nixpy cannot know what the members install: it says so in the root and in a member, and a root
    without requirements of its own is an error.
    """
    (workspace / "uv.lock").unlink()
    report = nixpy("init", workspace, "--style", "loader", "--format", "json").project
    assert [one["code"] for one in report["problems"]] == ["NIX212"]
    path = workspace / "pyproject.toml"
    path.write_text(path.read_text()[ROOT.index("[tool.uv") :])
    done = nixpy("init", workspace, "--style", "loader")
    assert done.status == 2
    assert "this uv workspace has no uv.lock" in done.err
    assert "Run `uv lock`" in done.err
    report = nixpy("init", workspace / "member", "--style", "loader", "--format", "json").project
    assert [(one["code"], one["message"].partition(",")[0]) for one in report["problems"]] == [
        ("NIX212", "the uv workspace in .. has no uv.lock")
    ]


def test_a_lock_that_nix_does_not_see_is_named(workspace: Path, nixpy: Nixpy) -> None:
    """A style that reads the lock of the workspace works in a member only if both are in one git repository."""
    member = workspace / "member"
    codes = [one["code"] for one in _problems(nixpy, member)]
    assert codes == ["NIX213"]
    (member / ".git").mkdir()
    assert [one["code"] for one in _problems(nixpy, member)] == ["NIX213"]
    (member / ".git").rmdir()
    (workspace / ".git").mkdir()
    assert _problems(nixpy, member) == []


def _problems(nixpy: Nixpy, folder: Path) -> list[dict[str, str]]:
    done = nixpy("init", folder, "--style", "wheel-env", "--python", "3.13", "--format", "json")
    return [one for one in done.project["problems"] if one["code"].startswith("NIX2")]
