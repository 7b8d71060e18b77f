"""`.envrc` as nixpy writes it, with real direnv: it enters the shell, and what changed makes the shell anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from newprojects import NewProjects
from nixos.box.sandbox import HOME, Box
from nixos.box.shells import on_this_machine, wheelhouse
from nixos.box.store import RELEASE
from nixos.box.test_box_builders import OVERLAY, PACKAGED, init, make_poetry2nix, project
from nixos.box.test_box_new import PROJECT, TEST, entered, tracked, with_hatchling
from nixos.realnix import stand_in
from runner import Nixpy

# nix-direnv's functions of these names, as far as an .envrc can tell: what they make is kept until a file is newer that
# was watched before they were called, or is the flake's own. Stubs of ours: nix-direnv itself is not here.
STUBS_OF_NIX_DIRENV = r"""
use_flake() {
  watch_file flake.nix flake.lock
  kept
}
use_nix() {
  watch_file shell.nix default.nix
  kept --impure --file shell.nix
}
kept() {
  local kept=.direnv/kept.rc file
  mkdir -p .direnv
  while IFS= read -r file; do
    if [ ! -e "$kept" ] || [ "$file" -nt "$kept" ]; then
      echo "stub: $(basename "$file") is newer" >&2
      nix print-dev-env "$@" > "$kept.new" && mv "$kept.new" "$kept"
    fi
  done < <(direnv show_dump "$DIRENV_WATCHES" | sed -n "s|.*\"[Pp]ath\": \"\($PWD/.*\)\".*|\1|p")
  eval "$(< "$kept")"
}
"""
# A shell that stands in the folder: each file is touched, and what direnv does at the next prompt is told and done.
PROMPTS = """
eval "$(direnv export bash 2> /tmp/said)" || exit
for touched; do
  while [ -e "$touched" ] && [ "$(date +%s)" = "$(stat -c %Y "$touched")" ]; do sleep 0.1; done
  touch "$touched"
  exported=$(direnv export bash 2> /tmp/said) || { cat /tmp/said >&2; exit 1; }
  eval "$exported"
  if grep -q "direnv: loading " /tmp/said; then echo "loaded: $touched"; fi
  if grep -qxF "stub: $(basename "$touched") is newer" /tmp/said; then echo "made anew: $touched"; fi
done
"""
# Written out, and not read of the template: what is missing there is missed.
WATCHED = (
    *("nixpy.nix", "nixpy.lock", "nixpy.toml", "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt"),
    *("requirements.in", "uv.lock", "pylock.toml", "poetry.lock", "pdm.lock", "Pipfile.lock"),
)
NOT_WATCHED = "README.md"


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return with_hatchling(tmp_path / "home")


def allow(box: Box, cwd: str, *, with_nix_direnv: bool) -> None:
    """Let direnv have its way in the folder."""
    if with_nix_direnv:
        (box.home / ".config/direnv").mkdir(parents=True)
        (box.home / ".config/direnv/direnvrc").write_text(STUBS_OF_NIX_DIRENV)
    box.run("direnv", "allow", cwd=cwd)


def told(box: Box, cwd: str, *names: str) -> Mapping[str, list[str]]:
    """Which files, touched one after the other, had the shell `loaded` again, and which had it `made anew`."""
    lines = box.run("bash", "-c", PROMPTS, "bash", *names, cwd=cwd).stdout.splitlines()
    return {
        what: [name for line in lines for said, _, name in [line.partition(": ")] if said == what]
        for what in ("loaded", "made anew")
    }


@pytest.mark.parametrize("with_nix_direnv", [False, True], ids=["direnv", "with a stub of nix-direnv"])
def test_it_enters_the_shell(with_nix_direnv: bool, box: Box, new_projects: NewProjects) -> None:
    """`.envrc`, as it is, enters the shell, which fills .venv; it is entered again without anything made anew."""
    entered(box, new_projects, "loader", "uv")
    allow(box, PROJECT, with_nix_direnv=with_nix_direnv)
    first = box.run("direnv", "exec", ".", *TEST, cwd=PROJECT)
    assert "nixpy: uv sync --frozen" in first.stderr
    assert "Ran 1 test" in first.stderr
    assert ("stub: " in first.stderr) == with_nix_direnv
    again = box.run("direnv", "exec", ".", "sh", "-c", 'echo "$VIRTUAL_ENV"', cwd=PROJECT)
    assert again.stdout == f"{PROJECT}/.venv\n"
    assert "stub: " not in again.stderr


def test_a_root_is_entered_by_its_command_alone(
    box: Box, new_projects: NewProjects, saw: Callable[[str, str, bool | str], None]
) -> None:
    """Under fhs direnv stays outside of the root: a program of .venv is found by `nixpy-fhs` and not without, and the
    shell's `python` is the one of .venv.
    """
    entered(box, new_projects, "fhs", "pip")
    allow(box, PROJECT, with_nix_direnv=False)
    assert "'demo' not found" in box.run("direnv", "exec", ".", "demo", cwd=PROJECT, check=False).stderr
    by_command = box.run("direnv", "exec", ".", "nixpy-fhs", "demo", cwd=PROJECT).stdout
    saw("fhs", "direnv", by_command == "Hello, demo!\n" and "by `nixpy-fhs CMD`")
    prefix = box.run("direnv", "exec", ".", "python", "-c", "import sys; print(sys.prefix)", cwd=PROJECT).stdout
    assert prefix == f"{PROJECT}/.venv\n"


def _new(style: str, manager: str) -> Callable[[Box, NewProjects, Nixpy], str]:
    def make(box: Box, new_projects: NewProjects, _: Nixpy) -> str:
        folder = entered(box, new_projects, style, manager)
        if manager in ("poetry", "pdm"):  # of which the stand-in nixpkgs has nothing that starts
            flake = folder / "flake.nix"
            overlay = OVERLAY.replace("poetry", manager)
            flake.write_text(flake.read_text().replace("nixpkgs.legacyPackages.${system};", overlay))
        return PROJECT

    return make


def _built(make: Callable[[Box], object]) -> Callable[[Box, NewProjects, Nixpy], str]:
    def made(box: Box, _: NewProjects, nixpy: Nixpy) -> str:
        make(box)
        folder = box.home / "flake"
        assert nixpy("init", folder, "--direnv", "--offline").status == 0
        tracked(folder)
        return f"{HOME}/flake"

    return made


def _uv2nix(box: Box) -> None:
    folder = project(box, [], PACKAGED)
    index = wheelhouse()
    on_this_machine(index, folder, "uv", "lock", "--quiet")
    init(index, folder, "uv2nix")


# Every manager, and every kind of shell, with what either reads besides nixpy.nix; what makes it, and the files.
MADE: Mapping[str, tuple[Callable[[Box, NewProjects, Nixpy], str], tuple[str, ...]]] = {
    "loader-uv": (_new("loader", "uv"), WATCHED[1:]),
    "loader-pip": (_new("loader", "pip"), ("pyproject.toml",)),
    "loader-poetry": (_new("loader", "poetry"), ("pyproject.toml", "poetry.lock")),
    "loader-pdm": (_new("loader", "pdm"), ("pyproject.toml", "pdm.lock")),
    "loader-none": (_new("loader", "none"), ("pyproject.toml",)),
    "fhs-none": (_new("fhs", "none"), ("pyproject.toml",)),
    "with-packages-uv": (_new("with-packages", "uv"), ("pyproject.toml", "uv.lock")),
    "wheel-env-uv": (_new("wheel-env", "uv"), ("nixpy.lock", "uv.lock")),
    "application-none": (_new("application", "none"), ("pyproject.toml",)),
    "micromamba-none": (_new("micromamba", "none"), ("pyproject.toml",)),
    "pyproject-nix-none": (_new("pyproject-nix", "none"), ("pyproject.toml",)),
    "uv2nix-uv": (_built(_uv2nix), ("pyproject.toml", "uv.lock")),
    "poetry2nix-poetry": (_built(make_poetry2nix), ("pyproject.toml", "poetry.lock")),
}


@pytest.mark.parametrize("made", MADE)
def test_it_watches_what_the_shell_is_made_of(made: str, box: Box, new_projects: NewProjects, nixpy: Nixpy) -> None:
    """Whichever file changes or comes of which some style or manager makes the shell or fills .venv, the shell is made
    anew at the next prompt, also where nix-direnv keeps it; a change of the code is no reason.
    """
    make, files = MADE[made]
    place = make(box, new_projects, nixpy)
    allow(box, place, with_nix_direnv=True)
    wanted = ["nixpy.nix", *files, "flake.nix"]
    assert told(box, place, NOT_WATCHED, *wanted, NOT_WATCHED) == {"loaded": wanted, "made anew": wanted}


def test_direnv_alone_watches_the_same(box: Box, new_projects: NewProjects) -> None:
    """Without nix-direnv too each of the files has the shell entered again, and so has the lock of the flake."""
    entered(box, new_projects, "loader", "uv")
    allow(box, PROJECT, with_nix_direnv=False)
    wanted = [*WATCHED, "flake.nix", "flake.lock"]
    assert told(box, PROJECT, NOT_WATCHED, *wanted, NOT_WATCHED) == {"loaded": wanted, "made anew": []}


@pytest.mark.parametrize("with_nix_direnv", [False, True], ids=["direnv", "with a stub of nix-direnv"])
def test_it_works_without_a_flake(with_nix_direnv: bool, box: Box, new_projects: NewProjects, nixpy: Nixpy) -> None:
    """The one of `--no-flake` enters the shell of shell.nix, and watches that and the same files."""
    folder = new_projects.copy(box.home / "demo", "loader", "uv")
    for name in ("flake.nix", ".envrc"):
        (folder / name).unlink()
    assert nixpy("init", folder, "--no-flake", "--direnv", "--offline").status == 0
    shell = folder / "shell.nix"
    shell.write_text(re.sub(r"fetchTarball .+?,", f"{stand_in(RELEASE)},", shell.read_text()))
    allow(box, PROJECT, with_nix_direnv=with_nix_direnv)
    first = box.run("direnv", "exec", ".", *TEST, cwd=PROJECT)
    assert "nixpy: uv sync --frozen" in first.stderr
    assert "Ran 1 test" in first.stderr
    assert ("stub: " in first.stderr) == with_nix_direnv
    wanted = [*WATCHED, "shell.nix"]
    seen = told(box, PROJECT, NOT_WATCHED, *wanted, NOT_WATCHED)
    assert seen == {"loaded": wanted, "made anew": wanted if with_nix_direnv else []}
