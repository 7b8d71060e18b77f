"""Gathering facts: where they are taken from, how many at once, and how it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from email.message import Message
from pathlib import Path

import pytest
import uv

import nixpy
from elfbuild import shared_object
from nixpy.core.errors import NixpyError
from nixpy.index.settings import IndexSettings
from nixpy.locks.model import LockedWheel, WheelFile
from nixpy.needs.model import WheelFacts
from nixpy.wheels.cache import Cache
from nixpy.wheels.gather import gather
from smallindex import SmallIndex, build_wheel
from wheels.samples import locked, mostly_data, mostly_elf, pure
from wheels.scripted import Answer, scripted


@dataclass
class Steps:
    """A progress that remembers."""

    total: int = 0
    steps: list[tuple[str, str]] = field(default_factory=list)

    def start(self, total: int) -> None:
        """Remember the number."""
        self.total = total

    def step(self, name: str, how: str) -> None:
        """Remember the step."""
        self.steps.append((name, how))


def collect(
    *wheels: LockedWheel,
    cache: Path | None = None,
    offline: bool = False,
    rescan: bool = False,
    venv: Path | None = None,
) -> tuple[dict[LockedWheel, WheelFacts], list[tuple[str, str]]]:
    steps = Steps()
    facts = gather(
        wheels,
        venv=venv,
        index=IndexSettings(),
        cache=Cache(folder=cache),
        offline=offline,
        rescan=rescan,
        progress=steps,
    )
    assert steps.total == len(steps.steps)
    return facts, sorted(steps.steps)


def test_a_lock_with_a_malformed_address_is_an_error(tmp_path: Path) -> None:
    """An address that is no URL is one clear error that does not tell its login, with a cache and without."""
    path = pure(tmp_path)
    for cache in (None, tmp_path / "cache"):
        with pytest.raises(NixpyError, match=r"any\.whl` is not a URL") as caught:
            collect(locked(path, f"https://me:s3cr3t@[x/{path.name}"), cache=cache)
        assert "s3cr3t" not in str(caught.value)


def test_every_source_gives_the_same_files(tmp_path: Path) -> None:
    """Ranges, a download, a local file, its file URL and the cache agree on the files, and say how they know."""
    data, elf = mostly_data(tmp_path / "w"), mostly_elf(tmp_path / "w")
    with SmallIndex(tmp_path / "w") as index:
        remote = [locked(path, index.file_url(path.name)) for path in (data, elf)]
        facts, how = collect(*remote, cache=tmp_path / "cache")
        assert how == [("mostly-data", "ranges"), ("mostly-elf", "download")]
        assert [facts[wheel].known for wheel in remote] == ["index", "sha256"]
        asked = len(index.requests)
        again, how = collect(*remote, cache=tmp_path / "cache")
        assert again == facts
        assert how == [("mostly-data", "cache"), ("mostly-elf", "cache")]
        assert len(index.requests) == asked
    for near in ([locked(data), locked(elf)], [locked(data, data.as_uri()), locked(elf, elf.as_uri())]):
        local, how = collect(*near)
        assert [local[wheel].files for wheel in near] == [facts[wheel].files for wheel in remote]
        assert {wheel.known for wheel in local.values()} == {"sha256"}
        assert {word for _, word in how} == {"file"}
    assert facts[remote[0]].files


def test_ranges_of_another_index_are_not_believed(tmp_path: Path) -> None:
    """Facts that one index's ranges gave are read again when another index is to supply the same hash."""
    path = mostly_data(tmp_path / "w")
    with SmallIndex(tmp_path / "w") as one, SmallIndex(tmp_path / "w") as other:
        collect(locked(path, one.file_url(path.name)), cache=tmp_path / "cache")
        _, how = collect(locked(path, other.file_url(path.name)), cache=tmp_path / "cache")
        assert how == [("mostly-data", "ranges")]
        assert other.requests
        _, how = collect(locked(path, one.file_url(path.name)), cache=tmp_path / "cache")
        assert how == [("mostly-data", "cache")]


def test_rescan_reads_again(tmp_path: Path) -> None:
    """A rescan asks the index although the cache knows."""
    path = mostly_elf(tmp_path / "w")
    with SmallIndex(tmp_path / "w") as index:
        wheel = locked(path, index.file_url(path.name))
        collect(wheel, cache=tmp_path / "cache")
        asked = len(index.requests)
        _, how = collect(wheel, cache=tmp_path / "cache", rescan=True)
        assert how == [("mostly-elf", "download")]
        assert len(index.requests) == 2 * asked


def install(path: Path, folder: Path) -> Path:
    """Install a wheel into an environment in `folder`."""
    commands = [["venv", "--python", sys.executable, "v"], ["pip", "install", "--python", "v/bin/python", str(path)]]
    for command in commands:
        options = ["--no-config", "--offline", "--cache-dir", str(folder / "uv")]
        subprocess.run([uv.find_uv_bin(), *command, *options], check=True, capture_output=True, cwd=folder)
    return folder / "v"


def test_the_environment_comes_before_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is installed is not downloaded, and read once as long as its files are the same; another version is read."""
    path = pure(tmp_path / "w", files={"pure/a.so": shared_object(["libz.so.1"]), "pure/a.py": "import six.moves\n"})
    newer = pure(tmp_path / "new", "pure")
    newer = newer.rename(newer.with_name("pure-2.0-py3-none-any.whl"))
    venv = install(path, tmp_path)
    with SmallIndex(tmp_path / "w") as index:
        wheel = locked(path, index.file_url(path.name))
        facts, how = collect(wheel, venv=venv, cache=tmp_path / "cache")
        with monkeypatch.context() as patched:
            patched.setattr("nixpy.wheels.gather.read_facts", None)
            assert collect(wheel, venv=venv, cache=tmp_path / "cache") == (facts, how)
        assert index.requests == []
    assert how == [("pure", "installed")]
    assert [file.needed for file in facts[wheel].files] == [("libz.so.1",)]
    assert (facts[wheel].known, facts[wheel].imports) == ("installed", ("six.moves",))
    assert collect(wheel, offline=True, cache=tmp_path / "cache")[0][wheel].known == "tag"
    assert collect(locked(newer), venv=venv)[1] == [("pure", "file")]


def test_a_changed_source_is_not_the_wheel(tmp_path: Path) -> None:
    """An installed source with another hash than in RECORD is not used; a changed library is: styles change it."""
    path = pure(tmp_path / "w", files={"pure/a.so": shared_object(["libz.so.1"]), "pure/a.py": "import six.moves\n"})
    venv = install(path, tmp_path)
    with SmallIndex(tmp_path / "w") as index:
        wheel = locked(path, index.file_url(path.name))
        source, library = (next(venv.glob(f"lib/python3*/site-packages/pure/{name}")) for name in ("a.py", "a.so"))
        library.unlink()  # not the file in the cache of uv
        library.write_bytes(shared_object(["libm.so.6"]))
        facts, how = collect(wheel, venv=venv, cache=tmp_path / "cache")
        assert (how, facts[wheel].files[0].needed) == ([("pure", "installed")], ("libm.so.6",))
        source.unlink()
        source.write_text("import six.other\n")
        facts, how = collect(wheel, venv=venv, cache=tmp_path / "cache")
        assert (how, facts[wheel].imports) == ([("pure", "download")], ("six.moves",))
    listed = replace(wheel, file=WheelFile(filename=wheel.file.filename))
    facts, how = collect(listed, venv=venv)
    assert (how, facts[listed].imports) == ([("pure", "installed")], ("six.other",))


def test_offline_asks_nobody(tmp_path: Path) -> None:
    """Offline, the cache and local files still answer; the rest is known by its tag, without files."""
    data, elf, local = mostly_data(tmp_path / "w"), mostly_elf(tmp_path / "w"), pure(tmp_path / "l")
    with SmallIndex(tmp_path / "w") as index:
        known, unknown = (locked(path, index.file_url(path.name)) for path in (elf, data))
        collect(known, cache=tmp_path / "cache")
        asked = len(index.requests)
        facts, _ = collect(known, unknown, locked(local), cache=tmp_path / "cache", offline=True)
        assert len(index.requests) == asked
    assert facts[unknown] == WheelFacts(files=(), known="tag")
    assert facts[known].known == facts[locked(local)].known == "sha256"


def test_one_file_for_two_systems_is_read_once(tmp_path: Path) -> None:
    """Wheels with the same hash share one reading, and each gets the answer."""
    path = mostly_elf(tmp_path)
    with SmallIndex(tmp_path) as index:
        url = index.file_url(path.name)
        both = [locked(path, url, system=system) for system in ("x86_64-linux", "aarch64-linux")]
        facts, how = collect(*both)
        assert len(index.requests) == 2
    assert facts[both[0]] == facts[both[1]]
    assert len(how) == 1


def test_macos_wheels_are_not_opened(tmp_path: Path) -> None:
    """Of wheels with code for macOS nothing is fetched; one for any system is opened, for its sources, once."""
    code = build_wheel(tmp_path, "code", "1.0", "cp313-cp313-macosx_11_0_arm64", files={"code.py": "import a.b"})
    path = pure(tmp_path, files={"a.so": shared_object(["libz.so.1"]), "pure.py": "import six.moves"})
    with SmallIndex(tmp_path) as index:
        mac, linux = (locked(path, index.file_url(path.name), system=s) for s in ("aarch64-darwin", "x86_64-linux"))
        own = locked(code, index.file_url(code.name), system="aarch64-darwin")
        facts, _ = collect(own)
        assert index.requests == []
        assert facts[own] == WheelFacts(files=(), known="tag")
        facts, how = collect(own, mac, linux)
        assert {request.path for request in index.requests} == {f"/files/{path.name}"}
    assert facts[mac] == facts[linux]
    assert facts[mac].imports == ("six.moves",)
    assert how == [("code", "skipped"), ("pure", "download")]


def test_no_address(tmp_path: Path) -> None:
    """A wheel whose lock gives no address is known by its tag; an address of another kind is an error."""
    wheel = locked(pure(tmp_path))
    nowhere = replace(wheel, file=WheelFile(filename=wheel.file.filename))
    assert collect(nowhere)[0][nowhere].known == "tag"
    odd = replace(wheel, file=replace(nowhere.file, url="ftp://user:s3cr3t@index.example/x.whl"))
    with pytest.raises(NixpyError, match="address") as caught:
        collect(odd)
    assert "s3cr3t" not in str(caught.value)


def test_nothing_to_do() -> None:
    """No wheels, no work."""
    assert collect() == ({}, [])


def test_several_at_once(tmp_path: Path) -> None:
    """Up to eight wheels are read at the same time, and each gets its own answer."""
    paths = [pure(tmp_path, f"p{n}", {f"{n}.so": shared_object([f"lib{n}.so"])}) for n in range(20)]
    busy, most, lock = 0, 0, threading.Lock()

    def answer(path: str, _: Message) -> Answer:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(0.02)
        with lock:
            busy -= 1
        return Answer(200, (tmp_path / path.strip("/")).read_bytes())

    with scripted(answer) as server:
        wheels = [locked(path, f"{server.url}/{path.name}") for path in paths]
        facts, _ = collect(*wheels)
    assert [facts[wheel].files[0].needed for wheel in wheels] == [(f"lib{n}.so",) for n in range(20)]
    assert 1 < most <= 8


def test_the_first_error_ends_it(tmp_path: Path) -> None:
    """After one wheel failed no other is begun, and the threads are gone."""
    path = pure(tmp_path)

    def answer(asked: str, _: Message) -> Answer:
        time.sleep(0.02)
        return Answer(404) if asked == "/0" else Answer(200, path.read_bytes())

    with scripted(answer) as server:
        wheels = [locked(path, f"{server.url}/{n}", digest=f"{n:064x}") for n in range(60)]
        wheels = [replace(wheel, file=replace(wheel.file, sha256=None)) for wheel in wheels]
        with pytest.raises(NixpyError, match="404"):
            collect(*wheels)
        asked = len(server.asked)
        time.sleep(0.1)
        assert len(server.asked) == asked < 40
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("wheels-")]


SCRIPT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored from birth in a background job
sys.path[:0] = {folders!r}
from pathlib import Path
from nixpy.index.settings import IndexSettings
from nixpy.wheels.cache import Cache
from nixpy.wheels.gather import gather
from wheels.samples import locked
wheels = [locked(Path({path!r}), {url!r} + str(n), digest=f"{{n:064x}}") for n in range(20)]
print("go", flush=True)
gather(wheels, venv=None, index=IndexSettings(), cache=Cache(folder=None))
"""


def test_ctrl_c_ends_it_at_once(tmp_path: Path) -> None:
    """While servers are silent, Ctrl-C ends the process within a second or two, not after their time-out."""
    path, release = pure(tmp_path), threading.Event()

    def answer(_: str, __: Message) -> Answer:
        release.wait(20)
        return Answer(503)

    with scripted(answer) as server:
        tests = Path(__file__).parents[1]
        folders = [str(path) for path in (Path(nixpy.__file__).parents[1], tests, tests / "helpers")]
        script = SCRIPT.format(folders=folders, path=str(path), url=f"{server.url}/")
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            assert process.stdout is not None
            process.stdout.readline()
            deadline = time.monotonic() + 10
            while not server.asked and time.monotonic() < deadline:
                time.sleep(0.02)
            assert server.asked
            start = time.monotonic()
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=10)
            assert time.monotonic() - start < 3
        finally:
            release.set()
            process.kill()
            process.wait()
    assert b"KeyboardInterrupt" in errors
    assert process.returncode != 0


def test_a_long_pause_ends_with_the_work(tmp_path: Path) -> None:
    """A thread that waits because the server asked for it stops as soon as another one failed."""
    path, waiting = pure(tmp_path), threading.Event()

    def answer(asked: str, _: Message) -> Answer:
        if asked == "/1":
            waiting.set()
            return Answer(429, headers={"Retry-After": "25"})
        waiting.wait(5)
        return Answer(404)

    start = time.monotonic()
    with scripted(answer) as server, pytest.raises(NixpyError, match="404"):
        collect(*(locked(path, f"{server.url}/{n}", digest=f"{n:064x}") for n in range(2)))
    assert time.monotonic() - start < 4
