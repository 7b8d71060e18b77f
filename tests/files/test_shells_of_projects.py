"""The flake of a repository: the names of its shells, and how a project finds its own."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import pytest

import shop
from nixpy.commands.init_all import shell_names
from nixpy.files.projects_flake import reference
from nixpy.files.render import nix_path
from nixpy.project.project import read


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        ({"a": "One.Two_three", "b": None}, ["one-two-three", "b"]),
        ({"x/app": None, "y/app": None, "app": None}, ["x-app", "y-app", "app"]),
        ({"x/one": "same", "y/two": "same"}, ["x-one", "y-two"]),
        ({".": "root", "a": "default"}, ["default", "a"]),
        ({"x/ü ß$": None}, ["project"]),
        ({"x/ü ß$": None, "y/$": None}, ["x", "y"]),
        ({"a b": None, "a-b": None, "a.b": None}, ["a-b", "a-b-2", "a-b-3"]),
    ],
)
def test_names_of_shells(folders: dict[str, str | None], names: list[str], tmp_path: Path) -> None:
    """Each name is that of the project or of its folder, unique, and an attribute without quotes."""
    for folder, name in folders.items():
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        if name:
            (tmp_path / folder / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n')
    found = list(shell_names(tmp_path, [tmp_path / folder for folder in folders]).values())
    assert found == names
    assert len({*found}) == len(found)
    assert all(re.fullmatch("[a-z0-9-]+", name) for name in found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("projects = { api = ./services/api/nixpy.nix; };", ".#api"),
        ('"a b" = {\n  file = ./services/api/nixpy.nix;\n};', ".#'a b'"),
        ("devShells.x.api-2 = (import ./services/api/nixpy.nix { inherit pkgs; }).shell;", ".#api-2"),
        ("devShells.x.other = (import ./services/api/nixpy.nix.old { }).shell;", None),
        ("devShells.x.default = (import ./nixpy.nix { }).shell;", None),
    ],
)
def test_the_shell_in_a_flake_above(text: str, found: str | None, tmp_path: Path) -> None:
    """The name of the attribute that names the generated file is the name of the shell."""
    project = shop.project(tmp_path / "services/api")
    (tmp_path / ".git").mkdir()
    (tmp_path / "flake.nix").write_text(text)
    assert reference(read(project)) == found
    (project / "flake.nix").write_text("{ }")
    assert reference(read(project)) is None


def test_paths_as_nix() -> None:
    """A path with other characters than Nix takes in a path is a string after the folder."""
    assert nix_path(PurePosixPath("a-b/c_d+.2/nixpy.nix")) == "./a-b/c_d+.2/nixpy.nix"
    assert nix_path(PurePosixPath('a b/"${c}/nixpy.nix')) == './. + "/a b/\\"\\${c}/nixpy.nix"'
