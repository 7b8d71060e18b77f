"""No command runs code of a project, an sdist or a wheel without `--allow-build`, and none starts other programs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import uv

from hostile import BACKEND, SYSTEM, hostile_sdist
from nixpy.index import config_files
from runner import Nixpy
from smallindex import SmallIndex, build_wheel

SETTINGS = {
    "none": "",
    "no-binary-package": 'no-binary-package = ["evilsd"]\n',
    "no-binary": "no-binary = true\n",
    "pip.no-binary": 'pip.no-binary = [":all:"]\n',
    "no-build": "no-build = false\n",
}
STAND_INS = ("uv", "git", "nix", "python", "python3", "pip", "keyring", "nvidia-smi", "direnv", "curl")


@pytest.fixture
def trap(tmp_path: Path) -> Iterator[Path]:
    """The file that foreign code makes; after the test it is not there."""
    path = tmp_path / "trap"
    yield path
    assert not path.exists(), "foreign code was run"


@pytest.fixture
def served(tmp_path: Path, trap: Path) -> Iterator[SmallIndex]:
    """An index with a hostile sdist and an honest wheel."""
    folder = tmp_path / "served"
    build_wheel(folder, "honest", "1.0")
    hostile_sdist(folder, trap)
    with SmallIndex(folder) as index:
        yield index


@pytest.fixture(autouse=True)
def shut_in(tmp_path: Path, served: SmallIndex, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only that index, not the one of `nixpy`, and a cache of this test alone, since uv remembers what a build said."""
    assert nixpy
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setattr(config_files, "_SYSTEM", Path("/nonexistent"))
    monkeypatch.setenv("UV_DEFAULT_INDEX", served.url)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PATH", f"{Path(uv.find_uv_bin()).parent}{os.pathsep}{os.environ['PATH']}")


def project(tmp_path: Path, trap: Path, settings: str, *, file: str, requires: str = '"evilsd", "honest"') -> Path:
    """Write a project that asks for both packages and is hostile itself, with settings of uv in `file`."""
    root = tmp_path / "project"
    root.mkdir()
    table = f"[tool.uv]\n{settings}" if file == "pyproject.toml" else ""
    (root / "pyproject.toml").write_text(
        f'[project]\nname = "p"\nversion = "1"\ndependencies = [{requires}]\n{SYSTEM}{table}'
    )
    for name in ("evil.py", "setup.py", "sitecustomize.py", "honest.py"):
        (root / name).write_text(BACKEND.format(trap=str(trap)))
    if file == "uv.toml":
        (root / file).write_text(settings)
    return root


@pytest.mark.slow
@pytest.mark.parametrize("file", ["pyproject.toml", "uv.toml"])
@pytest.mark.parametrize("name", SETTINGS)
def test_commands_without_a_lock(tmp_path: Path, trap: Path, nixpy: Nixpy, name: str, file: str) -> None:
    """Online and offline: what needs a build is an error that names the package and the option, and no file is made."""
    root = project(tmp_path, trap, SETTINGS[name], file=file)
    for command in (
        ("scan", root),
        ("init", root, "--style", "loader"),
        ("check", root),
        ("sync", root, "--offline"),
        ("scan", root, "--offline"),
        ("doctor", root),
    ):
        ran = nixpy(*command)
        assert not trap.exists(), command
        if command[0] in {"scan", "init"}:
            assert ran.status == 2, command
            assert "evilsd 1.0 has no wheel" in ran.err, ran.err
            assert "--allow-build" in ran.err, ran.err
    assert not (root / "nixpy.nix").exists()
    ran = nixpy("scan", "evilsd", "--python", "3.12", cwd=root)
    assert ran.status == 2
    assert "evilsd 1.0 has no wheel" in ran.err
    assert "--no-deps" in ran.err
    assert nixpy("scan", "evilsd", "--python", "3.12", "--no-deps", cwd=root).status == 0


def test_commands_with_requirements_files(tmp_path: Path, trap: Path, nixpy: Nixpy) -> None:
    """A uv.toml beside requirements.txt has no more power."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "requirements.txt").write_text("evilsd\nhonest\n")
    (root / "uv.toml").write_text(SETTINGS["no-binary-package"])
    for command in (("scan", root / "requirements.txt"), ("init", root, "--style", "loader"), ("check", root)):
        nixpy(*command)
        assert not trap.exists(), command


def test_commands_with_a_lock(tmp_path: Path, trap: Path, nixpy: Nixpy) -> None:
    """With a lock nothing is resolved, whatever the settings say."""
    root = project(tmp_path, trap, SETTINGS["no-binary-package"], file="uv.toml")
    (root / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "evilsd"\nversion = "1.0"\n'
        f'[packages.sdist]\npath = "{tmp_path}/served/evilsd-1.0.tar.gz"\n'
        f'[packages.sdist.hashes]\nsha256 = "{"0" * 64}"\n'
    )
    for command in (("scan", root), ("init", root, "--style", "loader"), ("check", root), ("sync", root, "--offline")):
        nixpy(*command)
        assert not trap.exists(), command


def test_package_builds_nothing(tmp_path: Path, trap: Path, nixpy: Nixpy) -> None:
    """`nixpy package` reads an sdist as text, also where the settings would have uv build."""
    root = project(tmp_path, trap, SETTINGS["no-binary-package"], file="uv.toml")
    nixpy("package", "evilsd", cwd=root)
    nixpy("package", "evilsd==1.0", cwd=root)
    assert not trap.exists()


def test_only_listed_programs_are_started(
    tmp_path: Path, trap: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With stand-ins first on PATH, uv is all that `init` and `scan` start, and git all that `doctor` starts.

    The same names in the working folder are never started.
    """
    root = project(tmp_path, trap, "", file="uv.toml", requires='"honest"')
    (root / ".git").mkdir()
    (root / "flake.nix").write_text("{ }\n")
    log = tmp_path / "started"
    log.touch()
    for name in STAND_INS:
        real = uv.find_uv_bin() if name == "uv" else "/bin/false"
        for folder, text in (
            (tmp_path / "stand-ins", f'echo "{name}" >> "{log}"\nexec "{real}" "$@"\n'),
            (root, f': > "{trap}"\n'),
        ):
            folder.mkdir(exist_ok=True)
            (folder / name).write_text(f"#!/bin/sh\n{text}")
            (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", str(tmp_path / "stand-ins"), "/nonexistent"]))
    started = {}
    for command in ("scan", "init", "check", "sync", "doctor"):
        log.write_text("")
        nixpy(command, root, *(["--style", "loader", "--force"] if command == "init" else []), cwd=root)
        started[command] = set(log.read_text().split())
    assert started == {"scan": {"uv"}, "init": {"uv"}, "check": set(), "sync": set(), "doctor": {"git"}}
    assert shutil.which("nix", path=str(tmp_path / "stand-ins"))
