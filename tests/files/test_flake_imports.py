"""Whether the user's Nix files lead to the generated file: what does is silent, what does not is NIX220."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from nixpy.files import flake_imports
from nixpy.files.nix_sources import NixSource
from nixpy.project import project
from runner import Nixpy

PYPROJECT = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = []\n'
SHELL = "{ pkgs }: pkgs.mkShell { inputsFrom = [ (import ../nixpy.nix { inherit pkgs; }).shell ]; }\n"

LEADS = {
    "an import": {"flake.nix": "{ outputs = { nixpkgs, ... }: { x = import ./nixpy.nix { pkgs = 1; }; }; }"},
    "a path in parentheses": {"flake.nix": "{ outputs = _: { x = (import ./nixpy.nix) { }; }; }"},
    "callPackage": {"flake.nix": "{ outputs = _: { x = pkgs.callPackage ./nixpy.nix { }; }; }"},
    "another file": {"flake.nix": "{ outputs = _: import ./nix/shell.nix; }", "nix/shell.nix": SHELL},
    "a folder": {"flake.nix": "{ outputs = _: import ./nix; }", "nix/default.nix": SHELL},
    "a file that a file names": {
        "flake.nix": "{ outputs = _: import ./nix/a.nix; }",
        "nix/a.nix": "{ imports = [ ./b/c.nix ]; }",
        "nix/b/c.nix": "{ x = import ../../nixpy.nix; }",
    },
    "a module of flake-parts": {
        "flake.nix": "{ outputs = i: i.flake-parts.lib.mkFlake { inputs = i; } { imports = [ ./nix/shell.nix ]; }; }",
        "nix/shell.nix": "{ perSystem = { pkgs, ... }: { x = import ../nixpy.nix { inherit pkgs; }; }; }",
    },
    "import-tree": {
        "flake.nix": "{ outputs = i: mkFlake { inputs = i; } (i.import-tree ./modules); }",
        "modules/deep/shell.nix": "import ../../nixpy.nix",
    },
    "readDir of the project": {
        "flake.nix": "{ outputs = _: map import (builtins.attrNames (builtins.readDir ./.)); }",
        "parts.nix": "import ./nixpy.nix",
    },
    "self in a string": {"flake.nix": '{ outputs = { self }: import "${self}/nixpy.nix"; }'},
    "self and a string": {"flake.nix": '{ outputs = { self }: import (self + "/nixpy.nix"); }'},
    "a file by self": {
        "flake.nix": '{ outputs = { self }: import (self + "/nix/shell.nix"); }',
        "nix/shell.nix": SHELL,
    },
    "a name that Nix computes": {"flake.nix": '{ outputs = _: map (n: import ./${n}/nixpy.nix) [ "." ]; }'},
    "devenv": {
        "flake.nix": "{ outputs = _: devenv.lib.mkShell { modules = [ ./devenv.nix ]; }; }",
        "devenv.nix": "{ pkgs, ... }: { packages = (import ./nixpy.nix { inherit pkgs; }).shell.buildInputs; }",
    },
    "shell.nix, and a flake for something else": {
        "flake.nix": "{ outputs = _: { }; }",
        "shell.nix": "import ./nixpy.nix",
    },
    "after a string with a comment sign": {"flake.nix": "{ a = \"x # y\"; b = '' /* ''; c = import ./nixpy.nix; }"},
    "no entry": {},
}
NOT_LEADING = {
    "nothing": {"flake.nix": "{ outputs = _: { }; }"},
    "a comment": {"flake.nix": "{\n  # import ./nixpy.nix\n  /* import ./nixpy.nix */\n  outputs = _: { };\n}"},
    "another file of that name": {"flake.nix": "import ./other/nixpy.nix", "other/nixpy.nix": ""},
    "a similar name": {"flake.nix": "import ./my-nixpy.nix"},
    "a file that nothing names": {"flake.nix": "{ outputs = _: { }; }", "nix/shell.nix": SHELL},
    "the source of a package": {"flake.nix": "{ outputs = _: mkDerivation { src = ./.; }; }", "nix/shell.nix": SHELL},
    "shell.nix": {"shell.nix": "{ pkgs }: pkgs.mkShell { }"},
    "a circle": {"flake.nix": "import ./a.nix", "a.nix": "import ./flake.nix"},
    "text that is no Nix": {"flake.nix": '"'},
}


def made(folder: Path, nixpy: Nixpy, files: dict[str, str]) -> Path:
    """A project with its generated files, whose other Nix files are these."""
    folder.mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    assert nixpy("init", folder, "--offline", "--no-flake").status == 0
    (folder / "shell.nix").unlink()
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def problems(nixpy: Nixpy, command: str, folder: Path) -> list[str]:
    """The codes of the diagnostics, of a run that ends with exit status 0."""
    ran = nixpy(command, folder, "--format", "json")
    assert ran.status == 0
    return [one["code"] for one in ran.project["problems"]]


def findings(nixpy: Nixpy, folder: Path) -> list[str]:
    """The codes of `doctor` about the way to nixpy's shell."""
    found = nixpy("doctor", folder, "--format", "json").json
    assert found["not_checked"] == []
    return [one["code"] for one in found["findings"] if one["code"] in ("NIX220", "NIX221")]


@pytest.mark.parametrize("form", LEADS)
def test_a_flake_that_leads_to_the_file_is_silent(form: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """Neither `check` nor `sync` nor `doctor` has anything to say about it."""
    folder = made(tmp_path, nixpy, LEADS[form])
    assert problems(nixpy, "check", folder) == []
    assert problems(nixpy, "sync", folder) == []
    assert findings(nixpy, folder) == []


@pytest.mark.parametrize("form", NOT_LEADING)
def test_a_flake_that_does_not_is_reported(form: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """`init`, `check`, `sync` and `doctor` report NIX220; the exit status of the first three is 0."""
    folder = made(tmp_path, nixpy, NOT_LEADING[form])
    for command in ("check", "sync", "init"):
        assert problems(nixpy, command, folder) == ["NIX220"]
    assert findings(nixpy, folder) == ["NIX220"]
    ran = nixpy("init", folder)
    entry = "shell.nix" if form == "shell.nix" else "flake.nix"
    assert f"nixpy found no import of nixpy.nix in {entry} or the files it names" in ran.out
    assert f"$EDITOR {entry}" in ran.err


def test_the_remedy_names_the_place(tmp_path: Path, nixpy: Nixpy) -> None:
    """The hint has the line for the first `mkShell`, also in another file, and it makes the diagnostic go away."""
    shell = tmp_path / "nix/shell.nix"
    folder = made(
        tmp_path,
        nixpy,
        {"flake.nix": "{ outputs = _: import ./nix/shell.nix; }", "nix/shell.nix": "{ pkgs }:\npkgs.mkShell {\n}\n"},
    )
    line = "inputsFrom = [ (import ../nixpy.nix { inherit pkgs; }).shell ];"
    for command in ("check", "sync"):
        (problem,) = nixpy(command, folder, "--format", "json").project["problems"]
        assert problem["hint"] == f"Add `{line}` to the arguments of `mkShell` in nix/shell.nix:2."
    shell.write_text(shell.read_text().replace("mkShell {", f"mkShell {{ {line}"))
    assert problems(nixpy, "check", folder) == []
    assert findings(nixpy, folder) == []


def test_a_flake_above(tmp_path: Path, nixpy: Nixpy) -> None:
    """In one repository, the flake above is looked at if the project has none; another repository's is not."""
    flake = tmp_path / "flake.nix"
    flake.write_text("{ outputs = _: { }; }")
    folder = made(tmp_path / "api", nixpy, {".envrc": "use flake\n"})
    assert problems(nixpy, "check", folder) == []
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    assert problems(nixpy, "check", folder) == ["NIX220"]
    assert findings(nixpy, folder) == ["NIX220"]
    for text in ("import ./api/nixpy.nix", 'import (self + "/api/nixpy.nix")', "map (n: import ./${n}/nixpy.nix) [ ]"):
        flake.write_text(text)
        assert problems(nixpy, "check", folder) == []
        assert findings(nixpy, folder) == []
    flake.write_text("import ./web/nixpy.nix")
    assert problems(nixpy, "check", folder) == ["NIX220"]


def test_nothing_outside_the_repository_is_read(tmp_path: Path, nixpy: Nixpy) -> None:
    """A path or a link that leads out of it is not followed."""
    (tmp_path / "outside.nix").write_text("import ./in/nixpy.nix")
    folder = made(tmp_path / "in", nixpy, {"flake.nix": "import ../outside.nix"})
    assert problems(nixpy, "check", folder) == ["NIX220"]
    (folder / "flake.nix").write_text("import ./link.nix")
    (folder / "link.nix").symlink_to(tmp_path / "outside.nix")
    assert problems(nixpy, "check", folder) == ["NIX220"]


def test_a_folder_behind_a_link(tmp_path: Path, nixpy: Nixpy) -> None:
    """A project that is entered by a link to its folder is the same project."""
    folder = made(tmp_path / "real", nixpy, {"flake.nix": "import ./nixpy.nix"})
    (tmp_path / "link").symlink_to(folder)
    assert problems(nixpy, "check", tmp_path / "link") == []
    assert findings(nixpy, tmp_path / "link") == []


def test_comments_and_strings_keep_their_places() -> None:
    """Blanks replace them, so lines and offsets stay; a comment sign in a string is none."""
    text = "a # b\n\"# c\" ''# ''' d'' /* e\n */ f''\n"
    source = NixSource(Path("/x.nix"), text)
    assert source.text == "a    \n\"# c\" ''# ''' d''     \n    f''\n"
    assert source.code == "a    \n" + " " * 22 + "\n    f''\n"


def test_settings_name_another_file(tmp_path: Path, nixpy: Nixpy) -> None:
    """The file that must be imported is the one in the settings."""
    (tmp_path / "nixpy.toml").write_text('file = "nix/nixpy.nix"\n')
    (tmp_path / "requirements.txt").write_text("")
    assert nixpy("init", tmp_path, "--offline").status == 0
    found = project.read(tmp_path)
    assert flake_imports.leads(tmp_path / "flake.nix", found)
    assert list(flake_imports.unused(found)) == []
    (tmp_path / "flake.nix").write_text("{ outputs = _: import ./nix/nixpy.nix; }")
    assert list(flake_imports.unused(found)) == []
    (tmp_path / "flake.nix").write_text("{ outputs = _: import ./nixpy.nix; }")
    assert [one.code for one in flake_imports.unused(found)] == ["NIX220"]


def test_no_line_for_an_input_that_the_flake_does_not_have(tmp_path: Path, nixpy: Nixpy) -> None:
    """A flake with another input for its packages gets the line for its shell, and none that names `nixpkgs`."""
    text = """{
  inputs.stable.url = "github:NixOS/nixpkgs/nixos-26.05";
  inputs.other.inputs.nixpkgs.follows = "stable";
  outputs = { self, ... }@inputs: {
    devShells.x86_64-linux.default =
      let pkgs = inputs.stable.legacyPackages.x86_64-linux;
      in pkgs.mkShell { };
  };
}
"""
    folder = made(tmp_path, nixpy, {"flake.nix": text})
    lines = nixpy("init", folder, "--format", "json").project["lines"]
    assert lines.splitlines() == [
        "      # in the arguments of `mkShell` in flake.nix:7:",
        "      inputsFrom = [ (import ./nixpy.nix { inherit pkgs; }).shell ];",
    ]
