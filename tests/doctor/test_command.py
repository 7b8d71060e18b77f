"""`nixpy doctor`, as a person runs it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import shop
from nixpy.doctor.examine import CHECKS
from runner import Nixpy
from smallindex import SmallIndex


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without what this machine's shell has set; git looks for no tree above."""
    for name in ("PYTHONPATH", "SOURCE_DATE_EPOCH", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "UV_PYTHON", "IN_NIX_SHELL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))


def environment(folder: Path, index: SmallIndex, *names: str) -> Path:
    """A virtual environment with wheels of the shop, unpacked as an installer does."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    site = next(folder.glob("lib/python3*/site-packages"))
    for name in names:
        wheel = next(index.folder.glob(f"{name}-*x86_64.whl"))
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    return folder


def test_an_empty_folder_is_no_failure(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without project, environment and Python on PATH, the facts say so, nothing is found, and the status is 0."""
    monkeypatch.delenv("UV_PYTHON", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    ran = nixpy("doctor", tmp_path)
    checks = len(CHECKS) - len(nixpy("doctor", tmp_path, "--format", "json").json["not_checked"])
    assert (ran.status, ran.out.splitlines()[-1], ran.err) == (0, f"no diagnostic found by {checks} checks", "")
    assert "none on PATH" in ran.out


def test_findings_have_status_1(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text tells code, sentence and command; JSON the same, after its schema."""
    monkeypatch.delenv("UV_PYTHON", raising=False)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    ran = nixpy("doctor", tmp_path)
    assert ran.status == 1
    assert "error[NIX410]: SOURCE_DATE_EPOCH is 1: " in ran.out
    text = ran.out.splitlines()
    ran = nixpy("doctor", tmp_path, "--format", "json")
    assert ran.status == 1
    checks = len(CHECKS) - len(ran.json["not_checked"])
    assert text[-2:] == ["  hint: unset SOURCE_DATE_EPOCH", f"1 diagnostic found by {checks} checks"]
    assert [(one["code"], one["command"]) for one in ran.json["findings"]] == [("NIX410", "unset SOURCE_DATE_EPOCH")]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such loaders")
def test_libraries_of_an_environment(tmp_path: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """In a real environment: what no folder has is found to be missing, a sibling's library is not, nor what the wheel
    brings; the optional one is a fact. Once a folder of LD_LIBRARY_PATH has it, it is not missed any more.
    """
    folder = shop.project(tmp_path / "demo", "alpha", "delta", "epsilon", "omega")
    environment(folder / ".venv", index, "alpha", "delta", "epsilon", "omega")
    ran = nixpy("doctor", folder, "--format", "json")
    missing = {one["soname"]: one for one in ran.json["facts"]["unfound"]}
    assert "libsibling.so.3" not in missing
    assert "libinner-0a1b2c3d.so.1" not in missing
    assert (missing["libnobody.so.7"]["wheel"], missing["libnobody.so.7"]["provider"]) == ("omega", "none")
    assert missing["libnobody.so.7"]["files"] == ["omega/core.abi3.so"]
    assert "libodbc.so.2" not in missing or missing["libodbc.so.2"]["optional"]
    found = [one for one in ran.json["findings"] if one["code"] == "NIX409"]
    assert "libnobody.so.7 is not found; omega needs it" in found[0]["message"]


def test_a_library_on_the_path_is_found(
    tmp_path: Path, nixpy: Nixpy, index: SmallIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is what the environment's Python really gets."""
    folder = shop.project(tmp_path / "demo", "omega")
    environment(folder / ".venv", index, "omega")
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs/libnobody.so.7").touch()
    codes = {one["code"] for one in nixpy("doctor", folder, "--format", "json").json["findings"]}
    assert "NIX409" in codes
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path / "libs"))
    codes = {one["code"] for one in nixpy("doctor", folder, "--format", "json").json["findings"]}
    assert "NIX409" not in codes
    assert "NIX408" in codes


def test_files_of_nixpy(tmp_path: Path, nixpy: Nixpy) -> None:
    """NIX416 once a setting changed, and not after `nixpy sync`; without nixpy there is nothing to be stale."""
    folder = shop.project(tmp_path / "demo", "alpha")

    def stale() -> bool:
        report = nixpy("doctor", folder, "--format", "json").json
        return any(one["code"] == "NIX416" for one in report["findings"])

    assert not stale()
    assert nixpy("init", folder, "--style", "loader").status == 0
    assert not stale()
    with (folder / "pyproject.toml").open("a") as file:
        file.write('\n[tool.nixpy.libraries]\nignore = ["libz.so.1"]\n')
    assert stale()
    assert nixpy("sync", folder).status == 0
    assert not stale()


def test_broken_files_are_listed(tmp_path: Path, nixpy: Nixpy) -> None:
    """A pyproject.toml that is none makes some checks impossible: each is named with the reason; the rest are made."""
    (tmp_path / "pyproject.toml").write_text("[project\n")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/pyvenv.cfg").write_bytes(b"\xff\xfe")
    ran = nixpy("doctor", tmp_path, "--format", "json")
    skipped = {one["check"]: one["reason"] for one in ran.json["not_checked"]}
    assert "pyproject.toml" in skipped["packages of the lock"]
    assert skipped.keys() < {name for name, _, _ in CHECKS}
    assert ran.status in {0, 1}
    text = nixpy("doctor", tmp_path).out
    assert "not checked: packages of the lock: " in text


def test_it_is_no_folder(tmp_path: Path, nixpy: Nixpy) -> None:
    """A file is bad usage; a folder that does not exist is one error, with status 2."""
    (tmp_path / "file").touch()
    assert nixpy("doctor", tmp_path / "file").status == 2
    assert nixpy("doctor", tmp_path / "none").status == 2


def test_check_codes_are_in_the_docstrings() -> None:
    """Every check says in its first words which codes it gives."""
    for _, check, _ in CHECKS:
        assert (check.__doc__ or "").startswith(("Yield NIX4", "Yield NIX2"))


@pytest.mark.parametrize(
    ("settings", "command"),
    [
        (
            'manager = "pip"\n',
            "python -m venv --clear .venv && .venv/bin/python -m pip install --no-input 'alpha>=0.1'",
        ),
        ("", "uv venv --clear .venv && uv pip install -r pyproject.toml"),
        ('manager = "none"\n', "uv venv --clear .venv && uv pip install -r pyproject.toml"),
        ('style = "micromamba"\n', None),
    ],
)
def test_it_installs_as_the_shell_would(
    tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch, settings: str, command: str | None
) -> None:
    """In a shell the command for a missing .venv is the manager's, in a folder below too; outside it enters the shell,
    unless that fills nothing. A style that has none misses none.
    """
    project = shop.project(tmp_path, "alpha>=0.1", extra=f"[tool.nixpy]\n{settings}")
    (project / "nixpy.lock").touch()
    (project / "src").mkdir()
    for inside in (True, False):
        monkeypatch.setenv("IN_NIX_SHELL", "impure") if inside else monkeypatch.delenv("IN_NIX_SHELL", raising=False)
        found = nixpy("doctor", project / "src", "--format", "json").json["findings"]
        wanted = command if inside or "none" in settings else command and "nix develop"
        assert [one["command"] for one in found if one["code"] == "NIX401"] == ([wanted] if wanted else [])


def test_a_project_without_git(tmp_path: Path, nixpy: Nixpy) -> None:
    """NIX222 once there is a flake of nixpy in a folder that no git tracks; its command heals it."""
    folder = shop.project(tmp_path / "demo", "alpha")

    def copied() -> list[str]:
        report = nixpy("doctor", folder, "--format", "json").json
        return [one["command"] for one in report["findings"] if one["code"] == "NIX222"]

    (folder / "flake.nix").write_text("{ }\n")
    assert copied() == []  # a flake of the user, and nixpy was never run
    (folder / "flake.nix").unlink()
    assert nixpy("init", folder, "--style", "loader", "--no-flake").status == 0
    assert copied() == []
    (folder / "shell.nix").unlink()
    assert nixpy("init", folder, "--style", "loader").status == 0
    (command,) = copied()
    above = tmp_path / ".git"
    above.mkdir()
    assert copied() == []  # the repository may be that of a folder above
    above.rmdir()
    subprocess.run(["bash", "-c", command], cwd=folder, check=True, capture_output=True)
    assert copied() == []
    assert "NIX414" not in nixpy("doctor", folder).out
