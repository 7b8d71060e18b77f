"""What `nixpy new` makes, entered and run where there is no /lib: nothing of it is changed but where nixpkgs lies."""

from __future__ import annotations

import importlib.metadata
import subprocess
import zipfile
from pathlib import Path

import pytest

from newprojects import NewProjects
from nixos.box.sandbox import HOME, Box
from nixos.box.store import RELEASE
from nixos.realnix import lock_flake

PROJECT = f"{HOME}/demo"
BACKEND = ("hatchling", "editables", "packaging", "pathspec", "pluggy", "tomlkit", "trove-classifiers")
TEST = ("python", "-m", "unittest", "discover", "tests")


def repacked(name: str, folder: Path) -> None:
    """Write the wheel of a package of pure Python that is installed here."""
    ours = importlib.metadata.distribution(name)
    files = [file for file in ours.files or () if ".." not in file.parts and file.suffix != ".pyc"]
    with zipfile.ZipFile(folder / f"{name.replace('-', '_')}-{ours.version}-py3-none-any.whl", "w") as archive:
        for file in files:
            archive.write(str(file.locate()), file.as_posix())


def with_hatchling(home: Path) -> Box:
    """A box with what a project of hatchling's is built by, where alone its managers find wheels."""
    folder = home / "wheels"
    folder.mkdir(parents=True)
    for name in BACKEND:
        repacked(name, folder)
    wheels = {"UV_FIND_LINKS": f"{HOME}/wheels", "PIP_FIND_LINKS": f"{HOME}/wheels", "UV_CACHE_DIR": f"{HOME}/cache"}
    return Box(home=home, environment=wheels)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return with_hatchling(tmp_path / "home")


def entered(box: Box, new_projects: NewProjects, style: str, manager: str) -> Path:
    """The new project in its place, as a git repository, with nixpkgs where the box has it."""
    folder = new_projects.copy(box.home / "demo", style, manager)
    lock_flake(folder, RELEASE)
    tracked(folder)
    return folder


def tracked(folder: Path) -> None:
    """Make the folder a git repository that knows all that is in it."""
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=folder, check=True)


@pytest.mark.parametrize(
    ("style", "manager"),
    [
        ("loader", "uv"),
        ("fhs", "pip"),
        ("with-packages", "none"),
        ("wheel-env", "uv"),
        ("application", "uv"),
        ("pyproject-nix", "none"),
    ],
)
def test_its_shell_runs_its_test(style: str, manager: str, box: Box, new_projects: NewProjects) -> None:
    """`nix develop -c` of the unchanged project fills what is to be filled, runs its test, and its command."""
    folder = entered(box, new_projects, style, manager)
    done = box.nix("develop", "-c", *TEST, cwd=PROJECT)
    assert "Ran 1 test" in done.stderr
    assert "OK" in done.stderr
    said = box.nix("develop", "-c", "python", "-m", "demo", cwd=PROJECT).stdout
    assert said == "Hello, demo!\n"
    assert (folder / ".venv").exists() == (style in {"loader", "fhs"})
    if (folder / ".venv").exists():
        command = ["nixpy-fhs", "demo"] if style == "fhs" else ["demo"]
        assert box.nix("develop", "-c", *command, cwd=PROJECT).stdout == "Hello, demo!\n"
    broken = folder / "src/demo/__init__.py"
    broken.write_text(broken.read_text().replace("Hello", "Goodbye"))
    failed = box.nix("develop", "-c", *TEST, cwd=PROJECT, check=False)
    assert failed.returncode != 0
    assert "FAILED (failures=1)" in failed.stderr


# Not uv2nix: the stub of its build systems has no hatchling.
@pytest.mark.parametrize("style", ["wheel-env", "application", "pyproject-nix"])
def test_its_program_is_built(style: str, box: Box, new_projects: NewProjects) -> None:
    """Where the style builds the project itself, `nix run .#demo` of the unchanged project starts its program."""
    entered(box, new_projects, style, "uv")
    assert box.nix("run", ".#demo", cwd=PROJECT).stdout == "Hello, demo!\n"
