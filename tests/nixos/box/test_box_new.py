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

pytestmark = pytest.mark.box

PROJECT = f"{HOME}/demo"
BACKEND = ("hatchling", "editables", "packaging", "pathspec", "pluggy", "tomlkit", "trove-classifiers")
TEST = ("python", "-m", "unittest", "discover", "tests")
# nix-direnv's function of that name, as far as an .envrc can tell: what it makes is kept until a file is newer that was
# watched before it was called, or the flake's own. A stub of ours: nix-direnv itself is not here.
STUB_OF_NIX_DIRENV = r"""
use_flake() {
  watch_file flake.nix flake.lock
  local kept=.direnv/kept.rc file
  mkdir -p .direnv
  while IFS= read -r file; do
    if [ ! -e "$kept" ] || [ "$file" -nt "$kept" ]; then
      echo "stub: $(basename "$file") is newer" >&2
      nix print-dev-env > "$kept.new" && mv "$kept.new" "$kept"
    fi
  done < <(direnv show_dump "$DIRENV_WATCHES" | sed -n 's|.*"[Pp]ath": "\(/home/user/demo/.*\)".*|\1|p')
  eval "$(< "$kept")"
}
"""


def repacked(name: str, folder: Path) -> None:
    """Write the wheel of a package of pure Python that is installed here."""
    ours = importlib.metadata.distribution(name)
    files = [file for file in ours.files or () if ".." not in file.parts and file.suffix != ".pyc"]
    with zipfile.ZipFile(folder / f"{name.replace('-', '_')}-{ours.version}-py3-none-any.whl", "w") as archive:
        for file in files:
            archive.write(str(file.locate()), file.as_posix())


@pytest.fixture
def wheels(box: Box) -> Path:
    """A folder in the box with what a project of hatchling's is built by."""
    folder = box.home / "wheels"
    folder.mkdir(parents=True)
    for name in BACKEND:
        repacked(name, folder)
    return folder


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A box whose managers find wheels in that folder alone."""
    wheels = {"UV_FIND_LINKS": f"{HOME}/wheels", "PIP_FIND_LINKS": f"{HOME}/wheels", "UV_CACHE_DIR": f"{HOME}/cache"}
    return Box(home=tmp_path / "home", environment=wheels)


def entered(box: Box, new_projects: NewProjects, style: str, manager: str) -> Path:
    """The new project in its place, as a git repository, with nixpkgs where the box has it."""
    folder = new_projects.copy(box.home / "demo", style, manager)
    lock_flake(folder, RELEASE)
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


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
def test_its_shell_runs_its_test(style: str, manager: str, box: Box, wheels: Path, new_projects: NewProjects) -> None:
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


@pytest.mark.parametrize("with_nix_direnv", [False, True], ids=["direnv", "with a stub of nix-direnv"])
def test_direnv_enters_it_and_watches_the_right_files(
    with_nix_direnv: bool, box: Box, wheels: Path, new_projects: NewProjects
) -> None:
    """`.envrc`, as it is, enters the shell, which fills .venv; a change of nixpy.nix is a reason to make the shell
    anew, also where nix-direnv keeps it, and so is one of the lock, and one of the README is not.
    """
    entered(box, new_projects, "loader", "uv")
    if with_nix_direnv:
        (box.home / ".config/direnv").mkdir(parents=True)
        (box.home / ".config/direnv/direnvrc").write_text(STUB_OF_NIX_DIRENV)
    box.run("direnv", "allow", cwd=PROJECT)
    first = box.run("direnv", "exec", ".", *TEST, cwd=PROJECT)
    assert "nixpy: uv sync --frozen" in first.stderr
    assert "Ran 1 test" in first.stderr
    assert ("stub: " in first.stderr) == with_nix_direnv
    again = box.run("direnv", "exec", ".", "sh", "-c", 'echo "$VIRTUAL_ENV"', cwd=PROJECT)
    assert again.stdout == f"{PROJECT}/.venv\n"
    assert "stub: " not in again.stderr
    # What a shell that stands in the folder is told at its next prompt.
    exported = box.run("direnv", "export", "bash", cwd=PROJECT).stdout
    reload = f"{exported}\nuntil [ $(date +%s) -gt $(stat -c %Y $1) ]; do sleep 0.1; done; touch $1; direnv export bash"
    told = {}
    for name in ("README.md", "nixpy.nix", "nixpy.lock", "uv.lock", "pyproject.toml"):
        told[name] = box.run("bash", "-c", reload, "bash", name, cwd=PROJECT)
    assert {name for name, done in told.items() if "loading" in done.stderr} == set(told) - {"README.md"}
    if with_nix_direnv:
        made_anew = {name for name, done in told.items() if f"stub: {name} is newer" in done.stderr}
        assert made_anew == {"nixpy.nix", "nixpy.lock"}
