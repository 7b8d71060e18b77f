"""Whether the user's own files set LD_LIBRARY_PATH for a whole shell, which is NIX226."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixpy.files import search_path
from nixpy.project import project
from runner import Nixpy

PYPROJECT = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = []\n'
HOOK = "pkgs.mkShell {\n  shellHook = ''\n    export LD_LIBRARY_PATH=${lib.makeLibraryPath [ pkgs.zlib ]}\n  '';\n}\n"

SET = {
    "an attribute of mkShell": ({"shell.nix": "pkgs.mkShell {\n  LD_LIBRARY_PATH = x;\n}\n"}, "shell.nix:2"),
    "in env": ({"flake.nix": "{ x = pkgs.mkShell {\n env.LD_LIBRARY_PATH = x; }; }\n"}, "flake.nix:2"),
    "inherited from let": ({"shell.nix": "let LD_LIBRARY_PATH = x; in pkgs.mkShellNoCC { }\n"}, "shell.nix:1"),
    "a shell hook": ({"flake.nix": HOOK}, "flake.nix:3"),
    "devenv": ({"devenv.nix": "{ pkgs, ... }: {\n  env.LD_LIBRARY_PATH = x;\n}\n"}, "devenv.nix:2"),
    "direnv": ({".envrc": "use nix\nexport LD_LIBRARY_PATH=/nix/store/a/lib\n"}, ".envrc:2"),
    "two files": (
        {"shell.nix": HOOK, ".envrc": "export LD_LIBRARY_PATH=$PWD/lib:$LD_LIBRARY_PATH\n"},
        "shell.nix:3, .envrc:1",
    ),
}
NOT_SET = {
    "nothing": {},
    "a comment": {"shell.nix": "pkgs.mkShell {\n  # LD_LIBRARY_PATH = x;\n}\n"},
    "a comment in a hook": {"shell.nix": "pkgs.mkShell { shellHook = ''\n  # export LD_LIBRARY_PATH=x\n''; }\n"},
    "a comment of direnv": {".envrc": "# export LD_LIBRARY_PATH=x\nuse flake\n"},
    "the variable of nix-ld": {"shell.nix": "pkgs.mkShell { NIX_LD_LIBRARY_PATH = x; }\n"},
    "one program": {"shell.nix": "pkgs.mkShell { shellHook = ''\n  LD_LIBRARY_PATH=x program\n''; }\n"},
    "a package": {"default.nix": "buildPythonPackage { LD_LIBRARY_PATH = x; }\n"},
    "a comparison": {"shell.nix": "pkgs.mkShell { x = LD_LIBRARY_PATH == null; }\n"},
    "a wrapper": {"shell.nix": 'pkgs.mkShell { x = "wrapProgram a --prefix LD_LIBRARY_PATH : b"; }\n'},
    "unset": {"shell.nix": "pkgs.mkShell { shellHook = ''\n  unset LD_LIBRARY_PATH\n''; }\n"},
}


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write a project with files of the user."""
    for name, text in {"pyproject.toml": PYPROJECT, **files}.items():
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(("files", "places"), SET.values(), ids=SET)
def test_the_lines_are_named(files: dict[str, str], places: str, tmp_path: Path) -> None:
    """The message names each line that sets the variable."""
    (found,) = search_path.exported(project.read(write(tmp_path, files)))
    assert (found.code, found.message.partition(" is set in ")[2].partition(": ")[0]) == ("NIX226", places)


@pytest.mark.parametrize("files", NOT_SET.values(), ids=NOT_SET)
def test_other_lines_are_not(files: dict[str, str], tmp_path: Path) -> None:
    """Comments, other variables, single programs and packages are not reported."""
    assert list(search_path.exported(project.read(write(tmp_path, files)))) == []


def test_the_commands_report_it(tmp_path: Path, nixpy: Nixpy) -> None:
    """`init` and `check` report it without failing."""
    folder = write(tmp_path, {"shell.nix": HOOK})
    for command in (("init", "--offline"), ("check",)):
        ran = nixpy(command[0], folder, *command[1:], "--format", "json")
        assert "NIX226" in {one["code"] for one in ran.project["problems"]}
