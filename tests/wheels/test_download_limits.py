"""A download ends: at the size that the lock names, and where less than the least rate arrives."""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from nixpy.core import limits
from nixpy.core.errors import NetworkError
from nixpy.index.settings import IndexSettings
from nixpy.locks.files import wheel_file
from nixpy.wheels import metered
from nixpy.wheels.http import Client
from nixpy.wheels.partial import PartialFile
from nixpy.wheels.remote import RemoteWheel
from smallindex import SmallIndex
from wheels.rawserver import forever, raw_server, slowly
from wheels.samples import mostly_elf, sha256

HOST = "127.0.0.1"


@contextmanager
def endless(pause: float, piece: bytes, *, chunked: bool) -> Iterator[str]:
    """Serve a body without end, a piece at a time, and yield its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked") if chunked else self.send_header("Connection", "close")
            self.end_headers()
            while True:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
                time.sleep(pause)

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}/demo-1-py3-none-any.whl?key=1"
    finally:
        server.shutdown()
        server.server_close()


def fetch(url: str, client: Client, most: int | None = None) -> NetworkError:
    """Return the error that fetching a file ends with."""
    with closing(client), closing(PartialFile(url, client, None, most)) as file, pytest.raises(NetworkError) as caught:
        file.download()
    assert (str(caught.value.path).endswith(".whl"), bool(caught.value.hint)) == (True, True)
    return caught.value


@pytest.mark.parametrize("chunked", [False, True])
def test_slow_server(chunked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that sends a byte at a time is an error after the span of the limit, by a clock that is not real."""
    ticks = itertools.count(step=limits.RATE_SPAN / 10)
    start = time.monotonic()
    with endless(0.005, b"x", chunked=chunked) as url:
        monkeypatch.setattr(metered, "clock", lambda: next(ticks))
        error = fetch(url, Client(IndexSettings(), attempts=2, pause=0.001))
    assert "1,024 bytes a second" in error.message
    assert time.monotonic() - start < 10


def test_steady_server_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that sends a little more than the least rate is not slow."""
    ticks = itertools.count()
    with endless(0, b"x" * 2 * limits.RATE, chunked=True) as url:
        monkeypatch.setattr(metered, "clock", lambda: next(ticks))
        error = fetch(url, Client(IndexSettings()), 400 * limits.RATE)
    assert "the lock names" in error.message


@pytest.mark.parametrize("chunked", [False, True])
def test_body_without_end(monkeypatch: pytest.MonkeyPatch, chunked: bool) -> None:
    """A body ends at the size of the lock, or, where it names none, at the largest size of a wheel."""
    monkeypatch.setattr(limits, "UNKNOWN_SIZE", 1 << 20)
    with endless(0, b"x" * 4_000, chunked=chunked) as url:
        assert "the 5,000 bytes that the lock names" in fetch(url, Client(IndexSettings()), 5_000).message
        assert "than any wheel has" in fetch(url, Client(IndexSettings())).message


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PARTS = {  # what is sent once, and what follows without end
    "status line": (b"", b"HTTP/1.1 200 OK"),
    "headers": (OK, b"X-A: b\r\n"),
    "other statuses": (CONTINUE, CONTINUE),
    "chunk size": (CHUNKED, b"0"),
    "trailers": (CHUNKED + b"0\r\n", b"X-A: b\r\n"),
}


@pytest.mark.parametrize(("once", "endless"), PARTS.values(), ids=PARTS)
def test_slow_part_without_content(once: bytes, endless: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that sends any other part than the content a byte at a time is an error as well."""
    ticks = itertools.count(step=limits.RATE_SPAN / 10)
    monkeypatch.setattr(metered, "clock", lambda: next(ticks))
    with raw_server(lambda _: (piece for part in ([once], slowly(endless * 99)) for piece in part)) as server:
        error = fetch(f"{server.url}/demo-1-py3-none-any.whl", Client(IndexSettings(), attempts=2, pause=0.001))
    assert "1,024 bytes a second" in error.message
    assert len(server.asked) == 1


@pytest.mark.parametrize(("once", "endless"), PARTS.values(), ids=PARTS)
def test_part_without_end(once: bytes, endless: bytes) -> None:
    """A part of a response other than its content that does not end is an error."""
    with raw_server(lambda _: itertools.chain([once], forever(endless))) as server:
        error = fetch(f"{server.url}/demo-1-py3-none-any.whl", Client(IndexSettings(), attempts=2, pause=0.001))
    assert re.search("headers or of empty parts|got more than|cannot be fetched", error.message)


def test_redirect_without_end(tmp_path: Path) -> None:
    """The body of a redirect is not read where it may have no end."""
    wheel = mostly_elf(tmp_path).read_bytes()

    def answer(request: bytes) -> Iterator[bytes]:
        if b"/moved" in request:
            yield OK + b"Content-Length: %d\r\n\r\n" % len(wheel) + wheel
        else:
            yield b"HTTP/1.1 302 Found\r\nLocation: /moved\r\nTransfer-Encoding: chunked\r\n\r\n"
            yield from forever(b"1\r\nx\r\n")

    with (
        raw_server(answer) as server,
        closing(Client(IndexSettings())) as client,
        closing(PartialFile(f"{server.url}/a.whl", client, None)) as file,
    ):
        file.download()
        assert file.size == len(wheel)


def test_slow_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that answers a byte at a time is an error, and no request reaches the server."""
    ticks = itertools.count(step=limits.RATE_SPAN / 10)
    monkeypatch.setattr(metered, "clock", lambda: next(ticks))
    with raw_server(lambda _: slowly(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 99)) as server:
        monkeypatch.setenv("https_proxy", server.url)
        error = fetch("https://index.test/demo-1-py3-none-any.whl", Client(IndexSettings(), attempts=2, pause=0.001))
    assert "1,024 bytes a second" in error.message


def read_all(folder: Path, most: int) -> int:
    """Return how many bytes the members of a wheel have that is fetched with this size in the lock."""
    path = mostly_elf(folder)
    client = Client(IndexSettings())
    with SmallIndex(folder) as index, closing(client):
        wheel = RemoteWheel(index.file_url(path.name), client, sha256=sha256(path), most=most)
        with closing(wheel):
            return sum(len(data) for _, data in wheel.read([member.path for member in wheel.members()]))


def test_size_of_the_lock(tmp_path: Path) -> None:
    """A wheel of the size that the lock names is read, and a longer one is not."""
    size = mostly_elf(tmp_path).stat().st_size
    assert read_all(tmp_path, size)
    with pytest.raises(NetworkError, match="more than"):
        read_all(tmp_path, size - 1)


def test_sizes_come_from_the_locks(tmp_path: Path) -> None:
    """uv.lock and pylock.toml name the sizes of files, which the wheels have."""
    for size, expected in ((7, 7), ("many", None), (-1, None), (None, None)):
        found = wheel_file(base=tmp_path, filename="a.whl", url="https://a.b/a.whl", path=None, sha256=None, size=size)
        assert found.size == expected
