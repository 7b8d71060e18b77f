"""Whatever a server sends, a wheel's facts are right or there is one error that names the address and a way out."""

from __future__ import annotations

import gzip
import itertools
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from nixpy.core.errors import NixpyError
from nixpy.index.settings import IndexSettings
from nixpy.needs.model import ElfFile
from nixpy.wheels.elf_files import inspect
from nixpy.wheels.http import Client
from nixpy.wheels.local import LocalWheel
from nixpy.wheels.remote import RemoteWheel
from wheels.rawserver import raw_server
from wheels.samples import mostly_elf, sha256

NAME = "mostly_elf-1.0-py3-none-any.whl"
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def whole(body: bytes, *, length: bytes | None = None, headers: bytes = b"", status: bytes = OK) -> list[bytes]:
    length = b"%d" % len(body) if length is None else length
    return [status + headers + b"Content-Length: " + length + b"\r\n\r\n" + body]


def moved(target: bytes, status: int = 302) -> list[bytes]:
    return [b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, target)]


def only(status: int, headers: bytes = b"", _wheel: bytes = b"") -> list[bytes]:
    return [b"HTTP/1.1 %d X\r\n%sContent-Length: 0\r\n\r\n" % (status, headers)]


def packed(how: bytes, body: bytes) -> list[bytes]:
    return whole(body, headers=b"Content-Encoding: " + how + b"\r\n")


def ranged(said: bytes, body: bytes, headers: bytes = b"") -> list[bytes]:
    status = b"HTTP/1.1 206 Partial Content\r\nContent-Range: " + said + b"\r\n"
    return whole(body, headers=headers, status=status)


# What a server sends to a request for a wheel of these bytes.
FAULTS: dict[str, Callable[[bytes], Iterable[bytes]]] = {
    # The connection ends too early.
    "nothing": lambda _: [],
    "part of the status line": lambda _: [b"HTTP/1.1 2"],
    "status line": lambda _: [OK],
    "part of the headers": lambda _: [OK + b"Content-Le"],
    "headers": lambda wheel: [OK + b"Content-Length: %d\r\n\r\n" % len(wheel)],
    "part of the body": lambda wheel: whole(wheel[:-9], length=b"%d" % len(wheel)),
    "part of a chunk's size": lambda _: [CHUNKED + b"1f"],
    "part of a chunk": lambda wheel: [CHUNKED + b"%x\r\n" % len(wheel) + wheel[:99]],
    "no last chunk": lambda wheel: [CHUNKED + b"%x\r\n" % len(wheel) + wheel + b"\r\n"],
    "part of a body without length": lambda wheel: [OK + b"\r\n" + wheel[:99]],
    # What is no HTTP.
    "no HTTP": lambda wheel: [wheel],
    "SSH": lambda _: [b"SSH-2.0-OpenSSH_9.9\r\n"],
    "HTTP/0.9": lambda _: [b"<html>sign in</html>"],
    "HTTP/2": lambda _: [b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0d"],
    "status that is no number": lambda wheel: whole(wheel, status=b"HTTP/1.1 OK\r\n"),
    "status of six digits": lambda wheel: whole(wheel, status=b"HTTP/1.1 200000 OK\r\n"),
    "negative status": lambda wheel: whole(wheel, status=b"HTTP/1.1 -200 OK\r\n"),
    "empty lines": lambda _: [b"\r\n" * 99],
    "two hundred headers": lambda wheel: whole(wheel, headers=b"".join(b"X-%d: a\r\n" % n for n in range(200))),
    "header of 100 KB": lambda wheel: whole(wheel, headers=b"X: " + b"a" * 100_000 + b"\r\n"),
    "header without a colon": lambda wheel: whole(wheel, headers=b"nonsense\r\n"),
    "header of binary data": lambda wheel: whole(wheel, headers=b"X: \xff\0\xfe\r\n"),
    # The length is wrong.
    "too short a length": lambda wheel: whole(wheel, length=b"%d" % (len(wheel) - 9)),
    "too long a length": lambda wheel: whole(wheel, length=b"%d" % (len(wheel) + 9)),
    "length 0": lambda wheel: whole(wheel, length=b"0"),
    "negative length": lambda wheel: whole(wheel, length=b"-1"),
    "length that is no number": lambda wheel: whole(wheel, length=b"many"),
    "length of 5,000 digits": lambda wheel: whole(wheel, length=b"9" * 5_000),
    "two lengths": lambda wheel: whole(wheel, headers=b"Content-Length: 9\r\n"),
    "length and chunks": lambda wheel: whole(wheel, headers=b"Transfer-Encoding: chunked\r\n"),
    "chunk size that is no number": lambda wheel: [CHUNKED + b"xyz\r\n" + wheel],
    "negative chunk size": lambda wheel: [CHUNKED + b"-5\r\n" + wheel],
    "chunk size of 5,000 digits": lambda wheel: [CHUNKED + b"f" * 5_000 + b"\r\n" + wheel],
    "chunk without an end": lambda wheel: [CHUNKED + b"5\r\n" + wheel],
    # The body is packed, or another one.
    "gzip": lambda wheel: packed(b"gzip", gzip.compress(wheel)),
    "gzip that is none": lambda wheel: packed(b"gzip", wheel),
    "half of a gzip": lambda wheel: packed(b"gzip", gzip.compress(wheel)[:999]),
    "deflate": lambda wheel: packed(b"deflate", zlib.compress(wheel)),
    "unknown encoding": lambda wheel: packed(b"rot13", wheel),
    "twenty encodings": lambda wheel: packed(b", ".join([b"gzip"] * 20), wheel),
    "no body": lambda _: whole(b""),
    "page": lambda _: whole(b"<html>sign in</html>", headers=b"Content-Type: text/html\r\n"),
    "JSON": lambda _: whole(b'{"message": "token expired"}'),
    "half a wheel": lambda wheel: whole(wheel[: len(wheel) // 2]),
    "other bytes": lambda wheel: whole(wheel[:100] + b"x" + wheel[101:]),
    # Ranges.
    "range of another file": lambda wheel: ranged(b"bytes 0-9/10", wheel[:10]),
    "range of 10 EB": lambda wheel: ranged(b"bytes %d-%d/%d" % (10**17 - 10, 10**17 - 1, 10**17), wheel[:10]),
    "several ranges": lambda wheel: ranged(b"", wheel, b"Content-Type: multipart/byteranges; boundary=x\r\n"),
    "no range at all": lambda wheel: whole(wheel, status=b"HTTP/1.1 206 Partial Content\r\n"),
    # Redirects.
    "redirect to itself": lambda _: moved(b"/" + NAME.encode()),
    "redirect without an address": lambda _: only(302),
    "redirect to nothing": lambda _: moved(b""),
    "redirect to a file": lambda _: moved(b"file:///etc/passwd"),
    "redirect to FTP": lambda _: moved(b"ftp://127.0.0.1/a.whl"),
    "redirect to no address": lambda _: moved(b"http://[x/"),
    "redirect to no port": lambda _: moved(b"http://127.0.0.1:99999/"),
    "redirect to a server that is gone": lambda _: moved(b"http://127.0.0.1:1/a.whl"),
    "redirect to no name": lambda _: moved(b"http://nothing.invalid/a.whl"),
    "redirect to binary data": lambda _: moved(b"http://\xff\xfe/\x01"),
    "redirect to a name of 300 letters": lambda _: moved(b"http://" + b"a" * 300 + b".test/"),
    # Statuses.
    **{f"status {status}": partial(only, status, b"") for status in (
        204, 205, 226, 300, 304, 400, 402, 403, 404, 407, 410, 416, 418, 425, 429, 451, 500, 503, 511, 599, 600, 999,
    )},
    **{f"pause {pause[:9]!r}": partial(only, 503, b"Retry-After: " + pause + b"\r\n") for pause in (
        b"0", b"-1", b"soon", b"9" * 5_000, b"Fri, 31 Dec 99999999 23:59:59 GMT", b"\xff", b"1e9",
    )},
}  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, most of which is an ELF file."""
    return mostly_elf(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def truth(wheel: Path) -> tuple[ElfFile, ...]:
    """The facts of the wheel."""
    with closing(LocalWheel(wheel)) as local:
        return inspect(local)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A client of many servers, with a login in no address."""
    with closing(Client(IndexSettings(), attempts=2, pause=0.001)) as client:
        yield client


def fetch(server: str, wheel: Path, client: Client) -> tuple[ElfFile, ...] | NixpyError:
    """Return the facts of the wheel that a server has, or the error."""
    address = f"{server.replace('://', '://user:s3cr3t@')}/{NAME}?key=s3cr3t"
    with closing(RemoteWheel(address, client, sha256=sha256(wheel))) as remote:
        try:
            return inspect(remote)
        except NixpyError as error:
            return error


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_fault(
    fault: Callable[[bytes], Iterable[bytes]], wheel: Path, truth: tuple[ElfFile, ...], client: Client
) -> None:
    """A fault that stays is one error without a secret, or no harm; one that passes leads to the facts or the error."""
    content = wheel.read_bytes()
    for faulty in (99, 1):
        asked = itertools.count()
        with raw_server(lambda _: fault(content) if next(asked) < faulty else whole(content)) as server:  # noqa: B023
            found = fetch(server.url, wheel, client)
        if isinstance(found, NixpyError):
            assert found.hint
            assert str(found.path).startswith("http")
            assert "s3cr3t" not in f"{found} {found.hint}"
        else:
            assert found == truth


def check(found: object, words: str) -> None:
    """Check that this is one error with a place and a way out, and without a secret."""
    assert isinstance(found, NixpyError)
    assert re.search(words, found.message)
    assert (bool(found.hint), str(found.path).endswith(NAME)) == (True, True)
    assert "s3cr3t" not in f"{found} {found.hint}"


@pytest.mark.parametrize(
    "pieces", [[], [b"HTTP/1.1 200 OK\r\n\r\n"], [b"\x16\x03\x03\0\x05\x02"], [b"\x15\x03\x03\0\2\2\x28"]]
)
def test_server_without_tls(pieces: list[bytes], wheel: Path, client: Client) -> None:
    """A server that ends the handshake of TLS, or speaks something else, is one error."""
    with raw_server(lambda _: pieces, waits=False) as server:
        check(fetch(server.url.replace("http:", "https:"), wheel, client), "cannot be fetched")


@pytest.mark.parametrize("pieces", [[], whole(b"x" * 99, length=b"999")])
def test_reset(pieces: list[bytes], wheel: Path, client: Client) -> None:
    """A connection that the server resets is one error."""
    with raw_server(lambda _: pieces, resets=True) as server:
        check(fetch(server.url, wheel, client), "cannot be fetched")


@pytest.mark.parametrize("server", ["https://nothing.invalid", "http://127.0.0.1:1", "http://[::1]:1", "https://a..b"])
def test_no_server(server: str, wheel: Path, client: Client) -> None:
    """An address that leads nowhere is one error."""
    check(fetch(server, wheel, client), "cannot be fetched|cannot download from this address")


@pytest.mark.parametrize(
    "pieces", [[], only(407), only(403), only(502), [b"SSH-2.0-OpenSSH_9.9\r\n"], [b"HTTP/1.1 200 OK\r\n\r\n"], None]
)
def test_proxy(pieces: list[bytes] | None, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that refuses, is none or is gone is one error without its login."""
    with raw_server(lambda _: pieces or []) as server:
        place = server.url.replace("://", "://user:s3cr3t@")
        monkeypatch.setenv("https_proxy", place if pieces is not None else "http://user:s3cr3t@127.0.0.1:1")
        with closing(Client(IndexSettings(), attempts=2, pause=0.001)) as client:
            check(fetch("https://nothing.invalid", wheel, client), "cannot be fetched")
