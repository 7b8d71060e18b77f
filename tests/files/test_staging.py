"""Files that are put in place together: kills at every step, leftovers, and several runs at once."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import nixpy
import shop
from kills import killed
from nixpy.core.errors import NixpyError
from nixpy.files.reconcile import OutputFile, reconcile
from runner import Nixpy


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def plan(folder: Path, **options: Any) -> Sequence[OutputFile]:
    return nixpy.plan(nixpy.read_project(folder), offline=True, **options).files


def first(folder: Path) -> None:
    """Make a project that nixpy has not written to."""
    shop.project(folder, extra='[tool.nixpy]\nfile = "nix/nixpy.nix"')


def again(folder: Path) -> None:
    """Make a project that has its files, in another style and for another Python."""
    shop.project(folder)
    reconcile(plan(folder, style="loader", python="3.12"), write=True, root=folder)


@pytest.mark.slow
@pytest.mark.parametrize("before", [first, again])
def test_a_kill_at_every_write(before: Callable[[Path], None], tmp_path: Path, nixpy: Nixpy) -> None:
    """Wherever init is killed, each file is the old or the new one as a whole, and check says that the files are fresh
    or stale (never analysed, where there were none), not edited. The next run completes them and removes what is left.
    """
    start, folder = tmp_path / "start", tmp_path / "demo"
    before(start)
    shutil.copytree(start, folder)

    def write() -> None:
        reconcile(plan(folder, style="fhs", python="3.13"), write=True, root=folder)

    old = contents(folder)
    write()
    new = contents(folder)
    states, at = set(), 0
    while True:
        at += 1
        shutil.rmtree(folder)
        shutil.copytree(start, folder)
        if not killed(write, folder, at):
            break
        found = contents(folder)
        whole = {name: text for name, text in found.items() if ".nixpy-" not in name}
        assert all(text in (old.get(name), new[name]) for name, text in whole.items()), at
        ran = nixpy("check", folder, "--format", "json")
        states.add(ran.json["projects"][0]["state"])
        assert ran.status == (ran.json["projects"][0]["state"] != "fresh")
        write()
        assert contents(folder) == new, at
    assert at > 15
    assert contents(folder) == new
    assert states == {"fresh", "never analysed" if before is first else "stale"}


def test_only_leftovers_of_nixpy_are_removed(tmp_path: Path) -> None:
    """Only regular files whose name is exactly that of a temporary file go; links, folders and others stay."""
    (tmp_path / "nix").mkdir()
    left = [tmp_path / ".nixpy.nix.nixpy-abcd1234", tmp_path / "nix/..envrc.nixpy-abcd123_"]
    others = [
        tmp_path / name
        for name in (
            ".nixpy.nix.abcd1234",
            ".nixpy.nix.nixpy-abcd123",
            ".nixpy.nix.nixpy-abcd12345",
            ".nixpy.nix.nixpy-ABCD1234",
            "nixpy.nix.nixpy-abcd1234",
            ".nixpy-abcd1234",
            "other/.nixpy.nix.nixpy-abcd1234",
        )
    ]
    (tmp_path / "other").mkdir()
    for path in (*left, *others):
        path.write_text("text")
    (tmp_path / ".link.nixpy-abcd1234").symlink_to("target")
    (tmp_path / "target").touch()
    (tmp_path / ".folder.nixpy-abcd1234").mkdir()
    os.mkfifo(tmp_path / ".pipe.nixpy-abcd1234")
    reconcile([OutputFile(path=tmp_path / "nix/new", text="new", generated=False)], write=False, root=tmp_path)
    assert all(path.exists() for path in left)
    reconcile([OutputFile(path=tmp_path / "nix/new", text="new", generated=False)], write=True, root=tmp_path)
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in others)
    assert {path.name for path in tmp_path.glob("*.nixpy-abcd1234")} == {
        ".link.nixpy-abcd1234",
        ".folder.nixpy-abcd1234",
        ".pipe.nixpy-abcd1234",
        *(path.name for path in others if path.parent == tmp_path and path.name.endswith(".nixpy-abcd1234")),
    }


def test_the_file_of_a_run_that_lives_stays(tmp_path: Path) -> None:
    """A temporary file that another process has locked is not a leftover; without the lock it is one."""
    path = tmp_path / ".nixpy.nix.nixpy-abcd1234"
    output = OutputFile(path=tmp_path / "new", text="new", generated=False)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        reconcile([output], write=True)
        assert path.exists()
    reconcile([output], write=True, root=tmp_path)
    assert not path.exists()


def test_many_at_once(tmp_path: Path) -> None:
    """Runs at the same time remove no file of each other: each one succeeds, and nothing is left."""
    errors: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for turn in range(30):
                text = f"{number} {turn}"
                reconcile(
                    [OutputFile(path=tmp_path / name, text=text, generated=False) for name in "ab"],
                    write=True,
                    root=tmp_path,
                )
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}


@pytest.mark.parametrize("failing", ["write", "replace"])
def test_a_failure_leaves_everything_as_it_was(failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file cannot be written, new folders are gone, and the other files have their text and their time."""
    (tmp_path / "a").write_text("old")
    os.utime(tmp_path / "a", (1, 1))
    outputs = [OutputFile(path=tmp_path / name, text="new", generated=False) for name in ("a", "deep/er/b", "c")]

    def fail(*arguments: object) -> int:
        raise OSError(28, "No space left on device")

    if failing == "write":
        monkeypatch.setattr(os, "write", fail)
    else:
        replace = Path.replace
        monkeypatch.setattr(
            Path, "replace", lambda path, target: fail() if target.name == "c" else replace(path, target)
        )
    with pytest.raises(NixpyError, match="No space left") as caught:
        reconcile(outputs, write=True, root=tmp_path)
    assert caught.value.path == tmp_path / ("a" if failing == "write" else "c")
    assert contents(tmp_path) == {"a": b"old"}
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").stat().st_mtime == 1


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    """What a process that ends by SIGKILL has staged goes with the next run, whatever children it had."""
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom nixpy.files.reconcile import OutputFile, reconcile\n"
        "Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "reconcile([OutputFile(path=Path(sys.argv[1], 'nixpy.nix'), text='x', generated=False)], write=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], check=False)
    assert done.returncode == -9
    assert [path.name.startswith(".nixpy.nix.nixpy-") for path in tmp_path.iterdir()] == [True]
    reconcile([OutputFile(path=tmp_path / "nixpy.nix", text="new", generated=False)], write=True)
    assert [path.name for path in tmp_path.iterdir()] == ["nixpy.nix"]
