"""`.envrc`, which is written once: it watches what is read later too, and nixpy says where it does not."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from nixpy.files import envrc
from nixpy.project import project
from nixpy.project.setup_files import SETUP_CFG, SETUP_PY
from runner import Nixpy

PYPROJECT = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = []\n'
SETUP = 'from setuptools import setup\nsetup(name="demo", python_requires=">=3.11")\n'
# What a project may be made of, each time by one file beside pyproject.toml, or without one.
BESIDE = {
    "uv.lock": 'version = 1\nrequires-python = ">=3.11"\n[[package]]\nname = "demo"\nsource = { virtual = "." }\n',
    "pylock.toml": 'lock-version = "1.0"\ncreated-by = "x"\npackages = []\n',
    "poetry.lock": 'package = []\n[metadata]\nlock-version = "2.1"\npython-versions = ">=3.11"\ncontent-hash = "0"\n',
    "pdm.lock": "[metadata]\n",
}
ALONE = {
    "requirements.txt": "",
    "requirements.in": "",
    "Pipfile.lock": '{"_meta": {"pipfile-spec": 6}, "default": {}, "develop": {}}',
    SETUP_PY: SETUP,
    SETUP_CFG: "[metadata]\nname = demo\n[options]\npython_requires = >=3.11\n",
}


@pytest.fixture
def first(tmp_path: Path, nixpy: Nixpy) -> Path:
    """A project of pyproject.toml alone, with its .envrc."""
    folder = tmp_path / "first"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT)
    assert nixpy("init", folder, "--direnv", "--offline").status == 0
    return folder


def codes(nixpy: Nixpy, command: str, folder: Path) -> list[str]:
    """The codes of what `sync` or `check` has to say of the project."""
    return [problem["code"] for problem in nixpy(command, folder, "--format", "json").project["problems"]]


@pytest.mark.parametrize("name", [*BESIDE, *ALONE])
def test_a_file_that_decides_later_is_watched_before(name: str, first: Path, tmp_path: Path) -> None:
    """Whatever usual file comes to decide what is installed after .envrc was written, that one watches it already."""
    later = tmp_path / "later"
    later.mkdir()
    if name in BESIDE:
        (later / "pyproject.toml").write_text(PYPROJECT)
    (later / name).write_text({**BESIDE, **ALONE}[name])
    if name == SETUP_CFG:
        (later / SETUP_PY).write_text("from setuptools import setup\nsetup()\n")
    shutil.copy(first / ".envrc", later)
    found = project.read(later)
    assert name in envrc.read(found)
    assert list(envrc.unwatched(found)) == []


def test_files_with_names_of_their_own_are_watched(tmp_path: Path, nixpy: Nixpy) -> None:
    """Requirements files that the settings name, those they name in turn, and another place of nixpy.nix stand in the
    .envrc, as a shell takes them.
    """
    (tmp_path / "deps").mkdir()
    (tmp_path / "deps/all.txt").write_text("-r more.txt\n")
    (tmp_path / "deps/more.txt").write_text("")
    (tmp_path / "dev tools.in").write_text("")
    (tmp_path / "nixpy.toml").write_text('requirements = ["deps/all.txt", "dev tools.in"]\nfile = "nix/nixpy.nix"\n')
    assert nixpy("init", tmp_path, "--direnv", "--offline").status == 0
    before, _, after = (tmp_path / ".envrc").read_text().partition("\nuse flake\n")
    assert "\nwatch_file deps/all.txt deps/more.txt 'dev tools.in'" in before
    assert "\nwatch_file nix/nixpy.nix nix/nixpy.lock " in before
    assert after == ""
    assert codes(nixpy, "check", tmp_path) == []


def test_what_it_does_not_watch_by_now_is_said(first: Path, nixpy: Nixpy) -> None:
    """After the settings name files of other names, sync and check say NIX208, and fail nothing, until the line that
    they name stands in .envrc before `use`.
    """
    (first / "dev tools.in").write_text("")
    settings = first / "pyproject.toml"
    settings.write_text(settings.read_text() + 'requirements = ["dev tools.in"]\n')
    assert codes(nixpy, "sync", first) == ["NIX208"]
    assert nixpy("check", first).status == 0
    line = "watch_file 'dev tools.in'"
    assert f"`{line}`" in nixpy("sync", first).out
    file = first / ".envrc"
    text = file.read_text()
    file.write_text(f"{text}{line}\n")
    assert codes(nixpy, "check", first) == ["NIX208"]
    for right in (line, "watch_file *.in  # all of them", "watch_file \\\n  ./'dev tools.in'"):
        file.write_text(text.replace("use flake", f"{right}\nuse flake"))
        assert codes(nixpy, "check", first) == []


@pytest.mark.parametrize("theirs", [None, "use flake\n", "watch_file 'it\nuse flake\n"])
def test_an_envrc_that_is_not_ours_is_left_in_peace(theirs: str | None, first: Path, nixpy: Nixpy) -> None:
    """Where there is none, or one that never watched a nixpy.lock, there is nothing to say."""
    (first / ".envrc").unlink()
    if theirs is not None:
        (first / ".envrc").write_text(theirs)
    assert codes(nixpy, "check", first) == []


LOADS = [
    ("use flake\n", {"flake.nix"}),
    ("use_flake\n", {"flake.nix"}),
    ("use flake .\n", {"flake.nix"}),
    ("use flake .#dev --impure\n", {"flake.nix"}),
    ("use flake --impure\n", {"flake.nix"}),
    ("use flake ./nix#dev\n", {"nix/flake.nix"}),
    ("use flake path:./nix\n", {"nix/flake.nix"}),
    ("if has nix; then use flake; fi\n", {"flake.nix"}),
    ("has nix &&\\\n  use flake # the shell\n", {"flake.nix"}),
    ("use nix\n", {"shell.nix"}),
    ("use nix ./nix/dev.nix --pure\n", {"nix/dev.nix"}),
    ("use nix -p hello\n", set()),
    ('eval "$(devenv direnvrc)"\nuse devenv\n', {"devenv.nix"}),
    ("use devenv\nuse flake\n", {"devenv.nix", "flake.nix"}),
    ("layout python\n", set()),
    ("layout poetry\ndotenv\nexport A=1\nPATH_add bin\n", set()),
    ("use mise\n", set()),
    ("# use flake\n", set()),
    ("", set()),
    ('source_url "https://x/direnvrc" "sha256-x"\nuse nix\n', {"shell.nix"}),
    # Uncertain: other files and programs decide.
    ("source_up\n", None),
    ("source_env_if_exists .envrc.local\n", None),
    (". ./env.sh\n", None),
    ('eval "$(nix print-dev-env)"\n', None),
    ("use flake github:owner/repository\n", None),
    ('use flake "$HOME/flake"\n', None),
    ("use flake 'it\n", None),
    ("use julia_and_nix\n", None),
    (f"use flake {'a' * 300}\n", None),
]


@pytest.mark.parametrize(("text", "files"), LOADS)
def test_the_files_that_an_envrc_loads(text: str, files: set[str] | None, tmp_path: Path) -> None:
    """They are those of direnv and nix-direnv; what is uncertain is None."""
    for name in ("flake.nix", "shell.nix", "devenv.nix", "nix/flake.nix", "nix/dev.nix"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".envrc").write_text(text)
    found = envrc.loaded(tmp_path / ".envrc")
    assert found == (None if files is None else {tmp_path / name for name in files})


@pytest.mark.parametrize(
    "text", ["use nix\n", "use devenv\n", "layout python\n", "export A=1\n", "mine\n", "use flake ..\n"]
)
def test_an_envrc_that_does_not_enter_the_shell(text: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """`init` names the line to add before `direnv allow`; `check`, `sync` and `doctor` report NIX221. The command
    that they name heals it.
    """
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    file = tmp_path / ".envrc"
    file.write_text(text)
    said = nixpy("init", tmp_path, "--offline").err
    command = "echo 'use flake' >> .envrc"
    assert said.index(command) < said.index("direnv allow")
    assert codes(nixpy, "check", tmp_path) == codes(nixpy, "sync", tmp_path) == ["NIX221"]
    found = {one["code"]: one["command"] for one in nixpy("doctor", tmp_path, "--format", "json").json["findings"]}
    assert found["NIX221"] == f"{command} && direnv allow"
    assert found.get("NIX401", "nix develop") == "nix develop"
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True)
    assert codes(nixpy, "check", tmp_path) == []
    assert command not in nixpy("init", tmp_path).err
    assert "NIX221" not in nixpy("doctor", tmp_path).out


@pytest.mark.parametrize("text", [None, "use flake\n", "source_up\n", "use flake .#other\n", "use nix\nuse flake\n"])
def test_an_envrc_that_may_enter_the_shell_is_silent(text: str | None, tmp_path: Path, nixpy: Nixpy) -> None:
    """So is a folder without one, and an .envrc that only its own files explain."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    if text is not None:
        (tmp_path / ".envrc").write_text(text)
    said = nixpy("init", tmp_path, "--offline").err
    assert ("direnv allow" in said, "echo 'use" in said) == (text is not None, False)
    assert codes(nixpy, "check", tmp_path) == []
    assert "NIX221" not in nixpy("doctor", tmp_path).out


def test_an_envrc_for_a_shell_without_a_flake(tmp_path: Path, nixpy: Nixpy) -> None:
    """`use nix` is right for shell.nix, and `use flake` is not."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / ".envrc").write_text("use nix\n")
    assert "echo" not in nixpy("init", tmp_path, "--offline", "--no-flake").err
    assert codes(nixpy, "check", tmp_path) == []
    (tmp_path / ".envrc").write_text("use flake\n")
    assert "echo 'use nix' >> .envrc" in nixpy("init", tmp_path, "--offline", "--no-flake").err
    assert codes(nixpy, "check", tmp_path) == ["NIX221"]


def test_an_envrc_whose_flake_is_above(tmp_path: Path, nixpy: Nixpy) -> None:
    """In a monorepo, `use flake` finds the flake at the top, which imports the project's file: nothing to say."""
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "api"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT)
    assert nixpy("init", folder, "--direnv", "--offline").status == 0
    (folder / "flake.nix").unlink()
    (tmp_path / "flake.nix").write_text("{ outputs = _: { x = import ./api/nixpy.nix { pkgs = 1; }; }; }\n")
    assert codes(nixpy, "check", folder) == []
    ran = nixpy("doctor", folder)
    assert "NIX22" not in ran.out
    assert "direnv reload" in ran.out or "NIX401" not in ran.out
