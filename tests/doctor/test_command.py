"""`nixpy doctor`, as a person runs it."""

from __future__ import annotations

import errno
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import shop
from elfbuild import elf
from nixpy.doctor.examine import CHECKS
from nixpy.wheels.archive import Content
from nixpy.wheels.installed import InstalledWheel
from runner import Nixpy
from smallindex import SmallIndex, build_wheel


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without what this machine's shell has set; git looks for no tree above."""
    for name in (
        "PYTHONPATH",
        "SOURCE_DATE_EPOCH",
        "LD_LIBRARY_PATH",
        "VIRTUAL_ENV",
        "UV_PYTHON",
        "IN_NIX_SHELL",
        "CONDA_PREFIX",
    ):
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


def test_an_empty_folder_has_nothing_to_examine(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without project, environment and Python on PATH, the facts say so, and an error names the folder; the command is
    right with the folder of a project.
    """
    monkeypatch.setenv("PATH", "/nowhere")
    ran = nixpy("doctor", tmp_path)
    assert (ran.status, ran.err) == (1, "")
    assert ran.out.splitlines()[-1].startswith("1 diagnostic found by ")
    assert "none on PATH" in ran.out
    assert f"error[NIX427]: there is no Python project in {tmp_path} and no virtual environment at " in ran.out
    assert "  hint: nixpy doctor DIR\n" in ran.out
    shop.project(tmp_path / "DIR")
    assert nixpy("doctor", "DIR", cwd=tmp_path).status == 0


def native(folder: Path, libraries: Path) -> Path:
    """An environment with one wheel, a file of which needs a library that its run path finds."""
    (libraries / "libown.so.1").parent.mkdir()
    (libraries / "libown.so.1").touch()
    files = {"native/core.abi3.so": elf(needed=["libown.so.1"], runpath=str(libraries))}
    wheel = build_wheel(libraries.parent, "native", "1.0", "py3-none-manylinux_2_17_x86_64", files=files)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(next(folder.glob("lib/python3*/site-packages")))
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such loaders")
def test_what_was_looked_at(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last lines count what was looked at; nothing is claimed of the rest, and without an essential part of it the
    status is 2.
    """
    monkeypatch.setenv("PATH", "/nowhere")
    folder = shop.project(tmp_path / "demo", "native")
    native(folder / ".venv", tmp_path / "libraries")
    ran = nixpy("doctor", folder, "--format", "json")
    assert (ran.status, ran.json["findings"], ran.json["not_checked"]) == (0, [], [])
    assert ran.json["looked_at"] == {
        "variables": True,
        "pythons": 0,
        "packages": 1,
        "elf_files": 1,
        "interpreter": True,
        "source": "pyproject.toml",
        "nixpy_files": False,
        "git": False,
        "left_out": [],
    }
    seen = "1 package, 1 ELF file, the interpreter, pyproject.toml, 0 Pythons on PATH, the variables"
    assert nixpy("doctor", folder).out.splitlines()[-2:] == [
        f"looked at: {seen}",
        f"no diagnostic found by {len(CHECKS)} checks",
    ]
    # Another Python in the project is not started, so that it is unknown which libraries it finds.
    python = folder / ".venv/bin/python"
    target = python.resolve()
    python.unlink()
    python.write_bytes(target.read_bytes() + b"x")
    python.chmod(0o755)
    ran = nixpy("doctor", folder)
    narrower = f"no diagnostic found in what was looked at, by {len(CHECKS) - 5} of {len(CHECKS)} checks\n"
    assert ran.status == 2
    checks = "NIX_LD_LIBRARY_PATH, libraries of wheels, modules of Python, symbol versions, driver"
    assert f"not looked at: {checks}: nixpy does not start {python}" in ran.out
    assert ran.out.endswith(narrower)
    assert "the interpreter, " not in ran.out


def test_a_python_that_ignores_pythonhome_reports_it(tmp_path: Path) -> None:
    """NIX410 for PYTHONHOME: started with `-I`, as the Nix package starts it, nixpy runs; without, no Python does."""
    shop.project(tmp_path)
    environ = {"PATH": "/nowhere", "PYTHONHOME": "/nowhere", "HOME": str(tmp_path)}
    for option in ("-I", "-s"):
        command = [sys.executable, option, "-m", "nixpy", "doctor", tmp_path]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert ("error[NIX410]: PYTHONHOME is /nowhere: " in done.stdout) == (option == "-I"), done.stderr


def test_a_note_is_no_failure(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """SOURCE_DATE_EPOCH, which every Nix shell sets, is a note: the status is 0, and `-q` prints none."""
    monkeypatch.setenv("PATH", "/nowhere")
    folder = shop.project(tmp_path / "demo")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "315532800")
    ran = nixpy("doctor", folder)
    assert ran.status == 0
    note = "note[NIX410]: SOURCE_DATE_EPOCH is 315532800: wheels and archives that you build here get its date"
    assert note in ran.out
    assert ran.out.endswith(f"no diagnostic found by {len(CHECKS)} checks, and 1 note\n")
    assert nixpy("-q", "doctor", folder).out == ""
    (found,) = nixpy("doctor", folder, "--format", "json").json["findings"]
    assert found["level"] == "note"


def test_findings_have_status_1(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text tells code, sentence and command; JSON the same, after its schema."""
    monkeypatch.setenv("PATH", "/nowhere")
    shop.project(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    ran = nixpy("doctor", tmp_path)
    assert ran.status == 1
    assert "error[NIX410]: PYTHONPATH is /elsewhere: " in ran.out
    text = ran.out.splitlines()
    ran = nixpy("doctor", tmp_path, "--format", "json")
    assert ran.status == 1
    checks = len(CHECKS) - len(ran.json["not_checked"])
    assert "  hint: unset PYTHONPATH" in text
    assert text[-1] == f"1 diagnostic found by {checks} checks"
    assert [(one["code"], one["command"]) for one in ran.json["findings"]] == [("NIX410", "unset PYTHONPATH")]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such loaders")
def test_one_file_that_cannot_be_read(
    tmp_path: Path, nixpy: Nixpy, index: SmallIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It costs that file only: it is reported, and the libraries of all others are looked for."""
    folder = shop.project(tmp_path / "demo", "omega", "alpha", "epsilon")
    environment(folder / ".venv", index, "omega", "alpha", "epsilon")
    real = InstalledWheel.content

    def content(wheel: InstalledWheel, path: str) -> Content:
        if path == "epsilon/libsibling.so.3":
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(wheel, path)

    monkeypatch.setattr(InstalledWheel, "content", content)
    ran = nixpy("doctor", folder, "--format", "json")
    found = {one["code"]: one for one in ran.json["findings"]}
    file = next(folder.glob(".venv/lib/python3*/site-packages/epsilon/libsibling.so.3"))
    assert found["NIX422"]["message"] == (
        f"{file} of epsilon cannot be read (Permission denied), so Python cannot load it and nixpy does not check it"
    )
    assert found["NIX422"]["command"] == f"chmod u+rX {file}"
    assert "libnobody.so.7" in found["NIX409"]["message"]
    assert not any(one["check"] == "libraries of wheels" for one in ran.json["not_checked"])
    assert "no diagnostic found" not in nixpy("doctor", folder).out


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
    assert ran.status == 1
    found = {one["code"]: one for one in ran.json["findings"]}
    assert found["NIX426"]["message"].startswith(f"{tmp_path}/pyproject.toml:1: this is not valid TOML: ")
    assert found["NIX426"]["command"] == f"${{EDITOR:-vi}} +1 {tmp_path}/pyproject.toml"
    text = nixpy("doctor", tmp_path).out
    assert "not looked at: Python of the project, packages of the lock, " in text


def test_it_is_no_folder(tmp_path: Path, nixpy: Nixpy) -> None:
    """A file is bad usage; a folder that does not exist is one error, with status 2."""
    (tmp_path / "file").touch()
    assert nixpy("doctor", tmp_path / "file").status == 2
    assert nixpy("doctor", tmp_path / "none").status == 2


def test_check_codes_are_in_the_docstrings() -> None:
    """Every check says in its first words which codes it gives."""
    for _, check, _ in CHECKS:
        assert (check.__doc__ or "").startswith(("Yield NIX4", "Yield NIX2", "Yield NIX104"))


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


@pytest.mark.parametrize(
    ("name", "text", "line", "words"),
    [
        ("pyproject.toml", "[project\n", 1, "this is not valid TOML"),
        ("uv.lock", "version = 1\n<<<<<<< HEAD\n", 2, "unresolved merge conflict"),
        ("uv.toml", "x\n", 1, "this is not valid TOML"),
        ("nixpy.toml", 'style = "loader"\nstile = "fhs"\n', 2, "stile"),
        ("nixpy.toml", 'style = "lauder"\n', 1, "lauder"),
    ],
)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch, name: str, text: str, line: int, words: str
) -> None:
    """NIX426 names file and line, and the status is 1; nothing is said of checks that need it."""
    monkeypatch.setenv("PATH", "/nowhere")
    folder = shop.project(tmp_path / "demo")
    (folder / name).write_text(text)
    ran = nixpy("doctor", folder)
    assert ran.status == 1
    assert f"error[NIX426]: {folder}/{name}:{line}: " in ran.out
    assert words in ran.out
    assert "\nnot looked at: " in ran.out
    assert f" of {len(CHECKS)} checks\n" in ran.out


def test_a_project_that_nixpkgs_has_no_python_for(
    tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file is damaged; the reason and the status say that the project was not looked at."""
    monkeypatch.setenv("PATH", "/nowhere")
    folder = shop.project(tmp_path / "demo")
    text = (folder / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(re.sub("requires-python = .*", 'requires-python = ">=3.99"', text))
    ran = nixpy("doctor", folder)
    assert (ran.status, "error[" in ran.out) == (2, False)
    assert "satisfies >=3.99" in ran.out
    assert "no diagnostic found in what was looked at" in ran.out
