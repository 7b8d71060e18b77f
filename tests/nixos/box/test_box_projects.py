"""Shells of several projects in one flake, entered at the top of the repository and in the folders of the projects."""

from __future__ import annotations

import shutil

import pytest

from nixos.box.sandbox import HOME, Box
from nixos.box.shells import nixpy_with, wheelhouse
from nixos.box.store import RELEASE, SYSTEM
from nixos.realnix import lock_flake

OPTIONS = ("--offline", "--no-write-lock-file")
WHERE = "import sys; print(sys.prefix)"
REQUIREMENTS = {"services/api": "pillow\n", "libs/text": "typing-extensions\n"}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A box with a repository of two projects in ~/work, and its flake in ~/flake."""
    home = tmp_path_factory.mktemp("projects") / "home"
    for folder, text in REQUIREMENTS.items():
        (home / "work" / folder).mkdir(parents=True)
        (home / "work" / folder / "requirements.txt").write_text(text)
    nixpy_with(wheelhouse(), home / "work", "init", "--all", "--style", "loader", "--system", SYSTEM)
    shutil.copytree(home / "work", home / "flake")
    lock_flake(home / "flake", RELEASE)
    return Box(home=home)


def enter(box: Box, name: str, folder: str, script: str) -> tuple[list[str], str]:
    """Return the lines that a script prints in the shell of a project, and what the shell says."""
    shell = ("develop", *OPTIONS, f"path:{HOME}/flake#{name}", "-c", "bash", "-euc", script)
    done = box.nix(*shell, cwd=f"{HOME}/work/{folder}")
    return done.stdout.splitlines(), done.stderr


def test_a_shell_uses_the_folder_of_its_project(box: Box) -> None:
    """Entered at the top, the shell of each project fills and activates the .venv of that project and stays at the top;
    entered in the folder of the project, it uses the same .venv and installs nothing; in another folder, none.
    """
    show = f'pwd; python -c "{WHERE}"; echo "$NIXPY_FOLDER"'
    api, text = f"{HOME}/work/services/api", f"{HOME}/work/libs/text"
    printed, said = enter(box, "api", ".", f'{show}; python -c "import PIL.Image"')
    assert printed == [f"{HOME}/work", f"{api}/.venv", api]
    assert "nixpy: .venv/bin/python -m pip install --no-input -r requirements.txt" in said
    printed, said = enter(box, "text", ".", f'{show}; python -c "import typing_extensions"')
    assert printed == [f"{HOME}/work", f"{text}/.venv", text]
    printed, said = enter(box, "api", "services/api", show)
    assert printed[:2] == [api, f"{api}/.venv"]
    assert "nixpy:" not in said
    printed, said = enter(box, "api", "libs/text", "echo ${VIRTUAL_ENV-none}")
    assert printed == ["none"]
    assert "nixpy: .venv is neither updated nor active, since this is not the project's folder" in said
    assert not [path for path in (box.home / "work").iterdir() if path.name.startswith(".")]
