"""Commands that are killed, run at the same time, or find no room: files are whole, and the next run mends the rest."""

from __future__ import annotations

import errno
import functools
import hashlib
import os
import resource
import shutil
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import shop
from kills import killed
from nixpy.cli.main import main
from runner import Nixpy
from smallindex import SmallIndex

ALPHA = "alpha-{}-cp313-cp313-manylinux_2_17_{}.manylinux2014_{}.whl"
BETA = "beta-1.0-py3-none-manylinux_2_17_{}.manylinux2014_{}.whl"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def locked(folder: Path, index: SmallIndex, version: str, *, local: bool = False) -> Path:
    """Make a project whose lock has two wheels with libraries, in files here or behind the index."""
    shop.project(folder, "alpha", "beta", extra='[tool.nixpy]\nstyle = "loader"\nsystems = ["x86_64-linux"]')
    text = 'lock-version = "1.0"\ncreated-by = "test"\n'
    for name, known, file in (("alpha", version, ALPHA), ("beta", "1.0", BETA)):
        filename = file.format(*([version] if name == "alpha" else []), "x86_64", "x86_64")
        digest = hashlib.sha256((index.folder / filename).read_bytes()).hexdigest()
        place = f'path = "{filename}"' if local else f'url = "{index.file_url(filename)}"'
        text += f'[[packages]]\nname = "{name}"\nversion = "{known}"\n[[packages.wheels]]\nname = "{filename}"\n'
        text += f'{place}\nhashes = {{ sha256 = "{digest}" }}\n'
        if local:
            shutil.copy(index.folder / filename, folder)
    (folder / "pylock.toml").write_text(text)
    return folder


def run(*arguments: object) -> int:
    """Run nixpy in this process, which prints nowhere, and return its status."""
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout = sys.stderr = nowhere
        try:
            main(list(map(str, arguments)))
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else 99
    return 0


def fork(work: Callable[[], int]) -> int:
    """Do the work in a process of its own, whose status it returns, and return its number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the other threads of this process are idle
        child = os.fork()
    if not child:
        status = 98
        try:
            status = work()
        finally:
            os._exit(status)
    return child


def status(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.usefixtures("many_runs")
@pytest.mark.parametrize("command", ["init", "sync"])
def test_kill_at_every_change(
    command: str, tmp_path: Path, index: SmallIndex, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a command is killed, in the project or in the cache, each file is the old or the new one; check tells
    that they are out of date, and the next run completes them and leaves no temporary file.
    """
    start, work = tmp_path / "start", tmp_path / "work"
    project, cache = work / "demo", work / "cache"
    monkeypatch.setenv("NIXPY_CACHE_DIR", str(start / "cache"))
    locked(start / "demo", index, "1.0", local=True)
    if command == "sync":
        assert nixpy("init", start / "demo").status == 0
        locked(start / "demo", index, "1.1", local=True)
    old = contents(start / "demo")
    monkeypatch.setenv("NIXPY_CACHE_DIR", str(cache))
    shutil.copytree(start, work)
    assert nixpy(command, project).status == 0
    new, facts = contents(project), contents(cache)
    states, at, going = set(), 0, True
    while going:
        at += 1
        shutil.rmtree(work)
        shutil.copytree(start, work)
        going = killed(lambda: run(command, project), work, at)
        found = {name: text for name, text in contents(project).items() if ".nixpy-" not in name}
        assert all(text in (old.get(name), new[name]) for name, text in found.items()), at
        ran = nixpy("check", project, "--format", "json")
        states.add(ran.json["projects"][0]["state"])
        for left in cache.rglob("*.tmp"):
            os.utime(left, (1, 1))  # else it might be of a process that lives
        assert nixpy(command, project).status == 0
        assert contents(project) == new, at
        assert contents(cache) == facts, at
    assert at > 10
    assert states == {"fresh", "stale" if command == "sync" else "never analysed"}


@pytest.mark.usefixtures("many_runs")
def test_twenty_at_once(tmp_path: Path, index: SmallIndex, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty processes in one project, with one cache, all succeed, check reads whole files, and none leaves a file."""
    monkeypatch.setenv("NIXPY_CACHE_DIR", str(tmp_path / "cache"))
    project = locked(tmp_path / "demo", index, "1.0")
    assert nixpy("init", project).status == 0
    before, facts = contents(project), contents(tmp_path / "cache")
    shutil.rmtree(tmp_path / "cache")
    locked(project, index, "1.0")  # the settings that init had written are gone
    commands = [
        ("init", project),
        ("sync", project),
        ("check", project),
        ("scan", project),
        ("init", project, "--rescan"),
    ]
    children = [fork(functools.partial(run, *command)) for command in commands for _ in range(4)]
    ends = [status(child) for child in children]
    assert set(ends[8:12]) <= {0, 1}
    assert set(ends[:8] + ends[12:]) == {0}
    assert contents(project) == before
    assert contents(tmp_path / "cache") == facts


@pytest.mark.slow
@pytest.mark.parametrize("local", [True, False], ids=["files", "index"])
@pytest.mark.parametrize("size", [0, 1, 100, 1_000, 4_000])
def test_full_disk(
    size: int, local: bool, tmp_path: Path, index: SmallIndex, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where files have room for no more than some bytes, a command is one error, and the project is as it was."""
    monkeypatch.setenv("NIXPY_CACHE_DIR", str(tmp_path / "cache"))
    project = locked(tmp_path / "demo", index, "1.0", local=local)
    before = contents(project)
    reader, writer = os.pipe()

    def limited() -> int:
        os.dup2(writer, 2)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        sys.stderr = os.fdopen(2, "w")
        try:
            main(["init", str(project)])
        except SystemExit as end:
            sys.stderr.flush()
            return end.code if isinstance(end.code, int) else 99
        return 97

    assert status(fork(limited)) == 2
    os.close(writer)
    with os.fdopen(reader) as stream:
        text = stream.read()
    assert text.count("error[") == 1
    assert os.strerror(errno.EFBIG) in text
    assert contents(project) == before
    assert nixpy("init", project).status == 0
