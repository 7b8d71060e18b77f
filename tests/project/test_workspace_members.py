"""The members of a uv workspace on disk, and what of their requirements is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixpy.core.target import Target
from nixpy.core.toml_file import load_toml
from nixpy.project import project, workspace

TARGETS = (Target(system="x86_64-linux", python="3.13.1", glibc=(2, 40)),)
ONE = '[project]\nname = "{name}"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["{name}-dep"]\n'
GROUPS = '[dependency-groups]\ndev = ["{name}-dev"]\n{name} = ["{name}-own"]\n'
EXTRAS = '[project.optional-dependencies]\n{name} = ["{name}-extra"]\n'
WORKSPACE = (
    '[tool.uv.workspace]\nmembers = ["packages/*", "a", "gone*", "/absolute", ""]\nexclude = ["./packages/no/"]\n'
)
ROOT_GROUPS = '[dependency-groups]\ndev = ["root-dev"]\ndocs = ["root-docs"]\n'


def write(root: Path, own: str = "") -> Path:
    """Write a workspace with the members a and b, its uv.lock and `own` text of its pyproject.toml."""
    lock = 'version = 1\nrequires-python = ">=3.12"\n[manifest]\nmembers = ["a", "b"]\n'
    lock += '[manifest.dependency-groups]\ndev = [{ name = "root-dev" }]\ndocs = [{ name = "root-docs" }]\n'
    for name, path in (("a", "a"), ("b", "packages/b"), ("no", "packages/no")):
        folder = root / path
        folder.mkdir(parents=True)
        (folder / "pyproject.toml").write_text((ONE + EXTRAS + GROUPS).format(name=name))
        if name != "no":
            lock += f'[[package]]\nname = "{name}"\nversion = "1"\nsource = {{ virtual = "{path}" }}\n'
            lock += f'[package.metadata]\nrequires-dist = []\nprovides-extras = ["{name}"]\n'
            lock += f"[package.metadata.requires-dev]\ndev = []\n{name} = []\n"
    (root / "packages/file").write_text("")
    (root / "packages/empty").mkdir()
    (root / "pyproject.toml").write_text(own + WORKSPACE)
    (root / "uv.lock").write_text(lock)
    return root


@pytest.mark.parametrize("own", ["", ONE.format(name="root")])
def test_members_are_found_by_the_patterns(tmp_path: Path, own: str) -> None:
    """Folders with a pyproject.toml count that a pattern matches and none excludes, and the root with a [project]."""
    root = write(tmp_path / "ws", own)
    found = workspace.folders(root, load_toml(root / "pyproject.toml"))
    assert found == {root / "a", root / "packages/b", *([root] if own else [])}
    assert workspace.above(root / "packages/b") == root
    assert workspace.above(root / "packages/no") is None
    assert workspace.above(root / "packages/empty") is None
    assert workspace.above(root) is None


@pytest.mark.parametrize(
    ("folder", "settings", "wanted"),
    [
        (".", "", "a-dep a-dev b-dep b-dev root-dev"),
        (".", 'extras = ["a"]', "a-dep a-dev a-extra b-dep b-dev root-dev"),
        (".", 'groups = ["a", "docs"]', "a-dep a-own b-dep root-docs"),
        (".", 'members = ["b"]', "b-dep b-dev"),
        (".", 'members = ["b"]\ngroups = ["b", "docs"]', "b-dep b-own root-docs"),
        (".", 'members = ["a", "b"]\ngroups = ["dev"]', "a-dep a-dev b-dep b-dev root-dev"),
        ("a", "", "a-dep a-dev"),
        ("a", 'groups = ["dev", "docs"]', "a-dep a-dev root-docs"),
        ("packages/b", 'extras = ["b"]\ngroups = []', "b-dep b-extra"),
    ],
)
def test_the_requirements_are_those_of_the_members(tmp_path: Path, folder: str, settings: str, wanted: str) -> None:
    """What is required is what uv installs: of every member its own lists, and of the root only the groups."""
    path = write(tmp_path / "ws", ROOT_GROUPS) / folder / "pyproject.toml"
    path.write_text(f"{path.read_text()}[tool.nixpy]\n{settings}\n")
    found = project.read(path.parent)
    assert " ".join(found.direct_names(TARGETS)) == wanted
    assert str(found.requires_python) == ">=3.12"  # of the lock, which is for all members
    assert not found.implied_names(TARGETS)


def test_projects_of_a_workspace_have_digests_of_their_own(tmp_path: Path) -> None:
    """The shell tells by them whether it is in its own folder."""
    root = write(tmp_path / "ws", ROOT_GROUPS)
    found = {project.read(root / folder).canonical(TARGETS) for folder in (".", "a", "packages/b")}
    assert len(found) == 3
