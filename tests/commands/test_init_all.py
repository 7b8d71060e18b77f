"""`init --all` sets up every project of a repository, and writes one flake with a shell for each."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import shop
from runner import Nixpy

pytestmark = pytest.mark.slow  # uv resolves each project

NEW = ("nixpy.lock", "nixpy.nix")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with three projects, whose folder is the working folder."""
    root = tmp_path / "repository"
    shop.project(root / "services/api", "alpha", "beta")
    (root / "services/web").mkdir()
    (root / "services/web/requirements.txt").write_text("gamma\n")
    shop.project(root / "libs/pure")
    for folder in ("services/api", "libs/pure"):
        path = root / folder / "pyproject.toml"
        path.write_text(path.read_text().replace('"demo"', f'"{path.parent.name}"'))
    (root / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    monkeypatch.chdir(root)
    return root


def written(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file() and ".git" not in path.relative_to(root).parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def test_every_project_is_set_up(repository: Path, nixpy: Nixpy) -> None:
    """Each project gets its files and no flake; the report has a row for each and fits on one screen; a second run
    changes nothing, and `check --all` finds all up to date.
    """
    before = written(repository)
    ran = nixpy("init", "--all")
    assert ran.status == 0
    folders = ("libs/pure", "services/api", "services/web")
    new = {f"{folder}/{name}" for folder in folders for name in NEW}
    assert written(repository).keys() - before.keys() == new | {"flake.nix", "services/web/nixpy.toml"}
    rows = dict(line.split(maxsplit=1) for line in ran.out.splitlines() if line.startswith(folders))
    assert rows["services/api"].split() == ["pyproject.toml", "patched-venv", "uv", "2", "packages"]
    assert rows["services/web"].split() == ["requirements.txt", "loader", "pip", "1", "package"]
    assert re.search(r"\nall projects  python 3\.\d+, nixpkgs nixos-\d\d\.\d\d, systems aarch64-darwin, ", ran.out)
    assert "3 projects: 3 set up\n" in ran.out
    assert len((ran.out + ran.err).splitlines()) <= 24
    assert "  echo .venv/ >> .gitignore   # " in ran.err
    assert "  nix develop .#pure   # or .#api, .#web\n" in ran.err
    after = written(repository)
    again = nixpy("init", "--all")
    assert (again.status, written(repository)) == (0, after)
    assert "3 projects: 3 up to date\n" in again.out
    checked = nixpy("check", "--all", "-v")
    assert checked.status == 0
    assert {*re.findall("NIX[0-9]+", checked.err)} == {"NIX201"}  # a wheel, and nothing about the flake


def test_the_command_line_holds_for_all(repository: Path, nixpy: Nixpy) -> None:
    """Options hold for all projects; what differs comes from the settings of each project, and the flake follows."""
    (repository / "services/web/nixpy.toml").write_text(
        'style = "nix-ld"\nnixpkgs = "nixos-25.11"\nsystems = ["x86_64-linux"]\nfile = "nix/nixpy.nix"\n'
    )
    ran = nixpy("init", "--all", "--python", "3.13", "--format", "json")
    assert ran.status == 0
    made = {Path(one["folder"]).name: one for one in ran.json["projects"]}
    assert {one["python"] for one in made.values()} == {"3.13"}
    assert (made["web"]["style"], made["web"]["nixpkgs"], made["web"]["systems"]) == (
        "nix-ld",
        "nixos-25.11",
        ["x86_64-linux"],
    )
    assert ran.json["shells"] == {"pure": "libs/pure", "api": "services/api", "web": "services/web"}
    again = nixpy("init", "--all")
    told = again.out
    assert "  programs.nix-ld.enable = true;   # NixOS: the style needs nix-ld\n" in again.err
    assert re.search(r"services/web +requirements.txt +nix-ld +pip +nixos-25.11 +x86_64-linux +[01] packages?", told)
    flake = (repository / "flake.nix").read_text()
    assert 'url = "github:NixOS/nixpkgs/nixos-25.11";' in flake
    assert "api = ./services/api/nixpy.nix;" in flake
    for line in (
        "file = ./services/web/nix/nixpy.nix;",
        'folder = "services/web";',
        'systems = [ "x86_64-linux" ];',
        "nixpkgs = inputs.nixpkgs-nixos-25-11;",
    ):
        assert line in flake


def test_an_error_stops_one_project(repository: Path, nixpy: Nixpy) -> None:
    """A project with an error is reported and the others are set up; the status is 2 and the flake has only those. With
    the error repaired, the flake is left alone and the missing line is printed.
    """
    bad = repository / "services/api/pyproject.toml"
    text = bad.read_text()
    bad.write_text(text.replace('"alpha"', '"nosuchpackage"'))
    ran = nixpy("init", "--all")
    assert ran.status == 2
    assert "services/api" in ran.err
    assert "nosuchpackage" in ran.err
    assert re.search(r"services/api +not set up\n", ran.out)
    assert "3 projects: 2 set up, 1 failed\n" in ran.out
    flake = (repository / "flake.nix").read_text()
    assert "services/api" not in flake
    assert not (repository / "services/api/nixpy.nix").exists()
    bad.write_text(text)
    again = nixpy("init", "--all")
    assert again.status == 0
    assert (repository / "flake.nix").read_text() == flake
    assert "# in `projects`:\n      api = ./services/api/nixpy.nix;\n" in again.out
    (repository / "flake.nix").write_text(
        flake.replace("projects = {", "projects = {\napi = ./services/api/nixpy.nix;")
    )
    assert "# in `projects`" not in nixpy("init", "--all").out


@pytest.mark.parametrize("kind", ["flake-parts", "flake-utils", "plain"])
def test_lines_for_an_existing_flake(kind: str, repository: Path, nixpy: Nixpy) -> None:
    """A flake.nix of the user stays as it is; the lines name each project and fit the flake."""
    text = f'{{ inputs.{kind}.url = "github:a/b"; outputs = _: {{ }}; }}\n'
    (repository / "flake.nix").write_text(text)
    ran = nixpy("init", "--all", "-q")
    assert (repository / "flake.nix").read_text() == text
    assert (
        "      api = (import ./services/api/nixpy.nix { inherit pkgs inputs; }).shell"
        '.overrideAttrs { NIXPY_FOLDER = "services/api"; };\n'
    ) in ran.out
    assert ("perSystem" in ran.out) == (kind == "flake-parts")
    (repository / "flake.nix").write_text(text + ran.out)
    assert nixpy("init", "--all", "-q").out == ""


def test_diff_writes_nothing(repository: Path, nixpy: Nixpy) -> None:
    """`--diff` shows all files, the flake as well, and writes none."""
    before = written(repository)
    ran = nixpy("init", "--all", "--diff")
    assert ran.status == 0
    assert written(repository) == before
    for name in ("flake.nix", "services/api/nixpy.nix", "services/web/nixpy.toml"):
        assert f"+++ {name}\n" in ran.out


def test_without_a_flake(repository: Path, nixpy: Nixpy) -> None:
    """With `--no-flake`, each project has a shell.nix, and there is no flake."""
    ran = nixpy("init", "--all", "--no-flake", "--direnv")
    assert ran.status == 0
    assert not list(repository.rglob("flake.nix"))
    assert len(list(repository.rglob("shell.nix"))) == 3
    assert "nix-shell" in ran.err
    assert (repository / "services/api/.envrc").read_text().endswith("\nuse nix\n")


def test_direnv_enters_the_shell_of_the_project(repository: Path, nixpy: Nixpy) -> None:
    """The .envrc of a project names its shell in the flake above."""
    assert nixpy("init", "--all", "--direnv").status == 0
    assert (repository / "services/api/.envrc").read_text().endswith("\nuse flake ../..#api\n")


def test_the_nixpkgs_of_the_flake(repository: Path, nixpy: Nixpy) -> None:
    """A project without a setting is analysed for the nixpkgs of the flake at the top."""
    (repository / "flake.nix").write_text('{ inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.11"; }\n')
    ran = nixpy("init", "services/api", "--style", "loader", "--format", "json")
    assert (ran.project["nixpkgs"], ran.project["reasons"]["nixpkgs"]) == ("nixos-25.11", "from ../../flake.nix")


def test_no_project_at_all(tmp_path: Path, nixpy: Nixpy) -> None:
    """A folder without any project is an error."""
    ran = nixpy("init", "--all", tmp_path)
    assert ran.status == 2
    assert "no Python project here or below" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_elsewhere(repository: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """DIR may be another folder than the working folder: the flake is in DIR, and its names are relative to DIR."""
    monkeypatch.chdir(repository.parent)
    ran = nixpy("init", "--all", "repository", "--direnv")
    assert ran.status == 0
    assert "api = ./services/api/nixpy.nix;" in (repository / "flake.nix").read_text()
    assert (repository / "services/api/.envrc").read_text().endswith("\nuse flake ../..#api\n")
    assert "cd repository\n" in ran.err


def test_a_project_at_the_top(repository: Path, nixpy: Nixpy) -> None:
    """The project in the folder of the flake has the shell `default`, which works in that folder."""
    shop.project(repository, "gamma")
    ran = nixpy("init", "--all", "--format", "json")
    assert ran.json["shells"]["default"] == "."
    flake = (repository / "flake.nix").read_text()
    assert re.search(r'default = \{\s+file = \./nixpy\.nix;\s+folder = "\.";\s+\};', flake)
    assert "  nix develop   # or .#pure, .#api, .#web\n" in nixpy("init", "--all").err


def test_one_project_of_a_repository(repository: Path, nixpy: Nixpy) -> None:
    """`init` in a project whose shell is in the flake above writes no flake, and names that shell, as `doctor` does."""
    assert nixpy("init", "--all").status == 0
    (repository / "services/api/.venv/bin").mkdir(parents=True)
    (repository / "services/api/.venv/bin/python").symlink_to("/nowhere")
    (repository / "services/api/.venv/pyvenv.cfg").write_text("home = /nowhere\n")
    ran = nixpy("init", "--style", "nix-ld", "--direnv", cwd=repository / "services/api")
    assert ran.status == 0
    assert not (repository / "services/api/flake.nix").exists()
    assert "or nix develop .#api" in ran.err
    assert (repository / "services/api/.envrc").read_text().endswith("\nuse flake .#api\n")
    (repository / "services/api/.envrc").unlink()
    assert "  nix develop .#api" in nixpy("init").err
    commands = [one["command"] for one in nixpy("doctor", "--format", "json").json["findings"]]
    assert any("nix develop .#api" in command for command in commands)
