"""Projects that Poetry or PDM locked: analysed like any other, from locks that say no addresses."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

import vendored
from nixpy.files.reconcile import parts
from runner import Nixpy
from smallindex import SmallIndex
from toollocks import locked

MADE = Path(__file__).parent / "made"


@pytest.mark.parametrize("tool", ["poetry", "pdm"])
def test_the_index_is_asked_where_the_wheels_are(tmp_path: Path, index: SmallIndex, nixpy: Nixpy, tool: str) -> None:
    """`init` opens the very wheels of the lock, found by name and hash in the user's index; `check` is then content
    without asking anything; when the lock changes it is not.
    """
    folder = locked(tmp_path / "demo", index, tool)
    done = nixpy("init", folder, "--style", "loader", "--rescan")
    assert done.status == 0, done.err
    nixpy_lock = json.loads((folder / "nixpy.lock").read_text())
    (wheel,) = nixpy_lock["systems"]["x86_64-linux"]["wheels"]
    assert wheel["known"] in {"index", "sha256"}
    assert "libz.so.1" in (folder / "nixpy.nix").read_text()
    text = (folder / "nixpy.nix").read_text()
    assert f'install = "{tool} ' in parts(text)[0]
    assert "set -- ${install}${" in vendored.files(text)["manager"]
    before = len(index.requests)
    assert nixpy("check", folder).status == 0
    assert len(index.requests) == before
    lock = folder / f"{tool}.lock"
    text = lock.read_text()
    lock.write_text(
        text.replace('name = "alpha"\nversion = "1.0"', 'name = "alpha"\nversion = "1.1"').replace(
            "alpha-1.0", "alpha-1.1"
        )
    )
    assert f"{tool}.lock installs alpha 1.1, which nixpy has not analysed" in nixpy("check", folder).out
    lock.write_text(text)
    (folder / "pyproject.toml").write_text(
        (folder / "pyproject.toml").read_text().replace('"gamma"', '"gamma", "beta"')
    )
    done = nixpy("check", folder)
    assert done.status == 1
    assert f"{tool}.lock is out of date: pyproject.toml changed after the lock was made\n" in done.out
    assert f"hint: Run `{tool} lock`, then `nixpy sync`.\n" in done.out


def test_a_folder_of_wheels_has_it_too(
    tmp_path: Path, index: SmallIndex, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an index the wheels are opened in the folder that uv's settings name, if they are the locked ones."""
    folder = locked(tmp_path / "demo", index, "poetry")
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    (folder / "uv.toml").write_text(f'no-index = true\nfind-links = ["{index.folder}"]\n')
    done = nixpy("init", folder, "--style", "loader", "--rescan")
    assert done.status == 0, done.err
    (wheel,) = json.loads((folder / "nixpy.lock").read_text())["systems"]["x86_64-linux"]["wheels"]
    assert wheel["known"] == "sha256"
    lock = folder / "poetry.lock"
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in index.folder.glob("alpha-1.0-*")]
    for number, digest in enumerate(digests):
        lock.write_text(lock.read_text().replace(digest, f"{number:064x}"))
    assert nixpy("sync", folder, "--rescan").status == 2


def test_a_source_of_poetrys_is_the_only_one_asked(
    tmp_path: Path, index: SmallIndex, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package that Poetry took from a source of the project's own is looked for there, whatever uv is set to."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple/")
    folder = locked(tmp_path / "demo", index, "poetry", source=index.url.rstrip("/"))
    assert nixpy("init", folder, "--style", "loader", "--rescan").status == 0
    assert "libz.so.1" in (folder / "nixpy.nix").read_text()


def test_a_file_that_no_index_has_is_an_error(tmp_path: Path, index: SmallIndex, nixpy: Nixpy) -> None:
    """Where the index has another file of that name, nothing is written; offline goes on with what the tag promises."""
    folder = locked(tmp_path / "demo", index, "poetry")
    lock = folder / "poetry.lock"
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in index.folder.glob("alpha-1.0-*")}
    for number, digest in enumerate(sorted(digests)):
        lock.write_text(lock.read_text().replace(digest, f"{number:064x}"))
    done = nixpy("init", folder, "--style", "loader")
    assert done.status == 2
    assert "no index has alpha-1.0-cp313" in done.err
    assert not (folder / "nixpy.nix").exists()
    assert nixpy("init", folder, "--style", "loader", "--offline").status == 0


def test_poetrys_table_without_a_lock_says_what_to_do(tmp_path: Path, nixpy: Nixpy) -> None:
    """Dependencies in [tool.poetry] alone cannot be read; the error says that the lock can."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\npython = "^3.11"\n'
    )
    done = nixpy("init", tmp_path)
    assert done.status == 2
    assert "Lock the project with `poetry lock`; nixpy then reads poetry.lock" in done.err


@pytest.mark.parametrize("name", ["poetry", "poetry-1.1", "poetry-project", "pdm", "pdm-4.4"])
def test_what_the_tools_made_is_analysed(tmp_path: Path, nixpy: Nixpy, name: str) -> None:
    """`init`, `check` and `scan` work on projects as the tools leave them: without [project], and with a chosen group
    that only a table of the tool's own names.
    """
    folder = tmp_path / name
    shutil.copytree(MADE / name, folder)
    group = "dev" if name == "poetry-1.1" else "docs"
    with (folder / "pyproject.toml").open("a") as file:
        file.write(f'\n[tool.nixpy]\ngroups = ["{group}"]\n')
    done = nixpy("init", folder, "--style", "loader", "--offline")
    assert done.status == 0, done.err
    assert "NIX202" not in done.out
    done = nixpy("check", folder)
    assert done.status == 0, done.out
    report = nixpy("scan", folder, "--offline", "--format", "json").json
    assert {"binary", "tool" if name == "poetry-1.1" else "linter"} <= {wheel["name"] for wheel in report["wheels"]}
