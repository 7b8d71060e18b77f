"""Wheels behind an index: which bytes are asked for, and what is made of every answer."""

from __future__ import annotations

import gzip
import itertools
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from email.message import Message
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elfbuild import shared_object
from nixpy.core.errors import NixpyError
from nixpy.index.settings import IndexSettings
from nixpy.needs.model import ElfFile, Known
from nixpy.wheels.elf_files import inspect
from nixpy.wheels.facts import read_facts
from nixpy.wheels.http import Client
from nixpy.wheels.local import LocalWheel
from nixpy.wheels.partial import PartialFile, Span, merge
from nixpy.wheels.remote import RemoteWheel
from smallindex import SmallIndex, build_wheel
from wheels.samples import LINUX, mostly_data, mostly_elf, noise, pure, sha256
from wheels.scripted import Answer, scripted


def client(settings_: IndexSettings | None = None, attempts: int = 3) -> Client:
    return Client(settings_ or IndexSettings(), attempts=attempts, pause=0.001)


def look(url: str, digest: str | None, by: Client | None = None) -> tuple[tuple[ElfFile, ...], Known]:
    by = by or client()
    with closing(by), closing(RemoteWheel(url, by, sha256=digest)) as wheel:
        return inspect(wheel), wheel.known


def truth(path: Path) -> tuple[ElfFile, ...]:
    with closing(LocalWheel(path)) as wheel:
        return inspect(wheel)


def test_ranges_give_the_facts_of_the_whole_file(tmp_path: Path) -> None:
    """Where ELF files are a small part, they alone are fetched, and tell what the whole file tells."""
    path = mostly_data(tmp_path)
    with SmallIndex(tmp_path) as index:
        found = look(index.file_url(path.name), sha256(path))
    assert found == (truth(path), "index")
    assert {file.path for file in found[0]} == {"pkg/a.so", "pkg/libb.so.2", "mostly_data-1.0.data/scripts/tool"}
    asked = [request.range or "" for request in index.requests]
    assert asked[0] == f"bytes=-{64 << 10}"
    sizes = [int(last) - int(first) + 1 for first, last in (re.findall(r"\d+", text) for text in asked[1:])]
    assert len(sizes) <= 2
    assert all(request.status == 206 for request in index.requests)
    assert sum(sizes) + (64 << 10) < path.stat().st_size / 8


def test_members_that_may_be_programs_are_looked_at_together(tmp_path: Path) -> None:
    """Thirty files with an execute bit, side by side, cost one request for all their first bytes, not thirty."""
    files: dict[str, bytes | str] = {f"p-1.0.data/scripts/{n}": b"#!" + noise(12_000, n) for n in range(30)}
    path = build_wheel(tmp_path, "p", "1.0", LINUX, files={**files, "data": noise(900_000)})
    with SmallIndex(tmp_path) as index:
        found = look(index.file_url(path.name), sha256(path))
    assert found == ((), "index")
    assert len(index.requests) == 2


def test_mostly_elf_is_fetched_whole_and_verified(tmp_path: Path) -> None:
    """Where ELF files are most of the wheel, one more request fetches all of it, and the hash is checked."""
    path = mostly_elf(tmp_path)
    with SmallIndex(tmp_path) as index:
        found = look(index.file_url(path.name), sha256(path))
    assert found == (truth(path), "sha256")
    assert [request.range for request in index.requests] == [f"bytes=-{64 << 10}", None]


def test_a_small_wheel_costs_one_request(tmp_path: Path) -> None:
    """A wheel that fits into the first answer needs no other, and its hash is checked."""
    path = pure(tmp_path, files={"a.so": shared_object(["libz.so.1"])})
    with SmallIndex(tmp_path) as index:
        assert look(index.file_url(path.name), sha256(path)) == (truth(path), "sha256")
    assert len(index.requests) == 1


def test_a_wheel_without_candidates_costs_its_central_directory(tmp_path: Path) -> None:
    """Of a big wheel without ELF files nothing but the end is fetched."""
    path = pure(tmp_path, files={"data.bin": noise(500_000)})
    with SmallIndex(tmp_path) as index:
        assert look(index.file_url(path.name), sha256(path)) == ((), "index")
    assert len(index.requests) == 1


def test_a_large_central_directory_costs_one_more_request(tmp_path: Path) -> None:
    """A central directory of more than 64 KiB is completed by a second range."""
    files: dict[str, bytes | str] = {f"{'long' * 20}/{n}.txt": "x" for n in range(1500)}
    path = pure(tmp_path, files={"data.bin": noise(1_000_000), **files})
    with (
        SmallIndex(tmp_path) as index,
        closing(client()) as by,
        closing(RemoteWheel(index.file_url(path.name), by)) as wheel,
        closing(LocalWheel(path)) as local,
    ):
        assert wheel.members() == local.members()
    assert len(index.requests) == 2


def test_a_server_without_ranges_sends_the_file_once(tmp_path: Path) -> None:
    """The answer 200 to the first range is taken as the file it is: one request, hash checked."""
    path = mostly_data(tmp_path)
    with SmallIndex(tmp_path, ranges=False) as index:
        assert look(index.file_url(path.name), sha256(path)) == (truth(path), "sha256")
    assert len(index.requests) == 1


def _range(headers: Message, size: int) -> Span | None:
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", headers.get("Range", ""))
    if match is None:
        return None
    if not match[1]:
        return max(0, size - int(match[2])), size
    return int(match[1]), int(match[2]) + 1


Odd = Callable[[bytes, Span], Answer]


def _refusal(status: int) -> Odd:
    return lambda content, _: Answer(status, headers={"Content-Range": f"bytes */{len(content)}"})


def _partial(content: bytes, span: Span, said: str = "") -> Answer:
    said = said or f"bytes {span[0]}-{span[1] - 1}/{len(content)}"
    return Answer(206, content[slice(*span)], {"Content-Range": said})


ODD: dict[str, Odd] = {
    "416": _refusal(416),
    "400": _refusal(400),
    "405": _refusal(405),
    "501": _refusal(501),
    "no content range": lambda content, span: Answer(206, content[slice(*span)]),
    "unknown size": lambda content, span: _partial(content, span, f"bytes {span[0]}-{span[1] - 1}/*"),
    "other range": lambda content, span: _partial(content, (0, span[1] - span[0])),
    "lies about the range": lambda content, span: Answer(
        206, content[: span[1] - span[0]], {"Content-Range": f"bytes {span[0]}-{span[1] - 1}/{len(content)}"}
    ),
    "nonsense range": lambda content, span: _partial(content, span, "bytes 9-3/1"),
    "short body": lambda content, span: Answer(
        206, content[span[0] : span[1] - 9], {"Content-Range": f"bytes {span[0]}-{span[1] - 1}/{len(content)}"}
    ),
    "long body": lambda content, span: Answer(
        206, content[slice(*span)] + b"x", {"Content-Range": f"bytes {span[0]}-{span[1] - 1}/{len(content)}"}
    ),
    "packed": lambda content, span: Answer(
        206,
        gzip.compress(content[slice(*span)]),
        {"Content-Range": f"bytes {span[0]}-{span[1] - 1}/{len(content)}", "Content-Encoding": "gzip"},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("first_is_right", [False, True])
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_an_odd_answer_to_a_range_leads_to_the_whole_file(tmp_path: Path, odd: Odd, first_is_right: bool) -> None:
    """Whatever a server makes of ranges, at once or later, the facts are the file's, and its hash was checked."""
    path = mostly_data(tmp_path)
    content = path.read_bytes()

    def answer(_: str, headers: Message) -> Answer:
        span = _range(headers, len(content))
        if span is None:
            return Answer(200, content)
        return _partial(content, span) if first_is_right and len(server.asked) == 1 else odd(content, span)

    with scripted(answer) as server:
        assert look(f"{server.url}/{path.name}", sha256(path)) == (truth(path), "sha256")


def test_all_of_it_as_a_late_answer(tmp_path: Path) -> None:
    """A server that stops to answer ranges in between and sends the whole file is understood."""
    path = mostly_data(tmp_path)
    content = path.read_bytes()

    def answer(_: str, headers: Message) -> Answer:
        span = _range(headers, len(content))
        return _partial(content, span) if span and len(server.asked) == 1 else Answer(200, content)

    with scripted(answer) as server:
        assert look(f"{server.url}/{path.name}", sha256(path)) == (truth(path), "sha256")
    assert len(server.asked) == 2


@pytest.mark.parametrize("faults", [[503, 429], [500, 502]])
def test_a_server_that_fails_twice_is_asked_again(tmp_path: Path, faults: list[int]) -> None:
    """Statuses that pass are met with another attempt."""
    path = mostly_elf(tmp_path)
    with SmallIndex(tmp_path, faults={path.name: faults}) as index:
        assert look(index.file_url(path.name), sha256(path))[0] == truth(path)
    assert [request.status for request in index.requests] == [*faults, 206, 200]


def test_a_server_that_keeps_failing_is_an_error(tmp_path: Path) -> None:
    """After the last attempt the error says what the server answers, and that one can go on without."""
    path = pure(tmp_path)
    with SmallIndex(tmp_path, faults={path.name: [503] * 9}) as index, pytest.raises(NixpyError) as caught:
        look(index.file_url(path.name), None)
    assert "503" in caught.value.message
    assert "--offline" in (caught.value.hint or "")
    assert len(index.requests) == 3


def test_retry_after_is_respected(tmp_path: Path) -> None:
    """A server that asks for a pause gets it."""
    content = pure(tmp_path).read_bytes()

    def answer(_: str, __: Message) -> Answer:
        return Answer(429, headers={"Retry-After": "1"}) if len(server.asked) == 1 else Answer(200, content)

    start = time.monotonic()
    with scripted(answer) as server:
        look(f"{server.url}/x.whl", None)
    assert time.monotonic() - start >= 1


@pytest.mark.parametrize("after", ["9" * 5_000, "Fri, 31 Dec 99999999 23:59:59 GMT", "-1", "soon"])
def test_absurd_retry_after(tmp_path: Path, after: str) -> None:
    """A pause that is no number of seconds and no date is nixpy's own pause."""
    content = pure(tmp_path).read_bytes()

    def answer(_: str, __: Message) -> Answer:
        return Answer(429, headers={"Retry-After": after}) if len(server.asked) == 1 else Answer(200, content)

    with scripted(answer) as server:
        look(f"{server.url}/x.whl", None)
    assert len(server.asked) == 2


@pytest.mark.parametrize("content_range", ["bytes 0-9/" + "9" * 5_000, "bytes " + "9" * 5_000 + "-9/9"])
def test_absurd_content_range(tmp_path: Path, content_range: str) -> None:
    """An answer whose range no file has makes nixpy fetch the whole file."""
    path = pure(tmp_path)

    def answer(_: str, headers: Message) -> Answer:
        ranged = "Range" in headers
        return Answer(206 if ranged else 200, path.read_bytes(), {"Content-Range": content_range} if ranged else {})

    with scripted(answer) as server:
        assert look(f"{server.url}/x.whl", sha256(path))[1] == "sha256"


def test_a_body_that_breaks_off_is_asked_for_again(tmp_path: Path) -> None:
    """A connection that ends in the middle of a file does not leave half a file behind."""
    path = mostly_elf(tmp_path)
    content = path.read_bytes()
    with scripted(lambda *_: Answer(200, content, cut=None if len(server.asked) > 2 else 99_999)) as server:
        assert look(f"{server.url}/{path.name}", sha256(path)) == (truth(path), "sha256")
    assert len(server.asked) == 3


def test_nobody_there_is_one_clear_error() -> None:
    """An address where nobody listens is an error that names it and the ways out."""
    with scripted(lambda *_: Answer()) as server:
        gone = server.url
    with pytest.raises(NixpyError, match="refused") as caught:
        look(f"{gone}/demo-1.0-py3-none-any.whl?key=1", None)
    assert caught.value.path == f"{gone}/demo-1.0-py3-none-any.whl"
    assert "--offline" in (caught.value.hint or "")


@pytest.mark.parametrize(("status", "words"), [(401, "login"), (403, "login"), (404, "Lock"), (410, "Lock")])
def test_a_refusal_is_final(status: int, words: str) -> None:
    """Statuses that another attempt does not better are one request and an error with a way out."""
    with scripted(lambda *_: Answer(status)) as server, pytest.raises(NixpyError, match=str(status)) as caught:
        look(f"{server.url}/x.whl", None)
    assert len(server.asked) == 1
    assert words in (caught.value.hint or "")


def test_another_file_than_the_locked_one_is_refused(tmp_path: Path) -> None:
    """A file whose hash is not the lock's is an error that names both hashes, and is not asked for twice."""
    path = mostly_elf(tmp_path)
    with SmallIndex(tmp_path) as index, pytest.raises(NixpyError, match="not the wheel that was locked") as caught:
        look(index.file_url(path.name), "0" * 64)
    assert sha256(path) in caught.value.message
    assert len(index.requests) == 2


def test_without_a_locked_hash_nothing_is_verified(tmp_path: Path) -> None:
    """Where the lock has no hash, even a whole file proves no more than what the index sent."""
    path = mostly_elf(tmp_path)
    with SmallIndex(tmp_path) as index:
        assert look(index.file_url(path.name), None) == (truth(path), "index")


def test_what_is_no_wheel_is_an_error(tmp_path: Path) -> None:
    """A page instead of a wheel is called damaged, with its address."""
    page = Answer(200, b"<html>sign in</html>")
    with scripted(lambda *_: page) as server, pytest.raises(NixpyError, match="damaged") as caught:
        look(f"{server.url}/x.whl", None)
    assert caught.value.path == f"{server.url}/x.whl"


def test_a_wheel_without_members_has_nothing() -> None:
    """An empty zip file is one; nothing in it can be fetched."""
    empty = Answer(200, b"PK\5\6" + bytes(18))
    with scripted(lambda *_: empty) as server:
        assert look(f"{server.url}/x.whl", None) == ((), "index")
        with closing(client()) as by, closing(RemoteWheel(f"{server.url}/x.whl", by)) as wheel:
            assert read_facts(wheel, requires=True).requires == ()


def test_a_login_goes_to_its_own_server_only(tmp_path: Path) -> None:
    """After a redirect to another server the login stays behind; on the same server it goes along."""
    content = pure(tmp_path).read_bytes()
    with scripted(lambda *_: Answer(200, content)) as other:

        def answer(path: str, _: Message) -> Answer:
            target = "/moved" if path == "/x.whl" else f"{other.url}/y.whl"
            return Answer(302, headers={"Location": target})

        with scripted(answer) as server:
            look(server.url.replace("://", "://user:s3cr3t@") + "/x.whl", None)
    assert [headers["Authorization"] for _, headers in server.asked] == ["Basic dXNlcjpzM2NyM3Q="] * 2
    assert [headers["Authorization"] for _, headers in other.asked] == [None]


def test_redirects_end(tmp_path: Path) -> None:
    """A server that redirects to itself is an error, not an endless loop."""
    loop = Answer(302, headers={"Location": "/x.whl"})
    with scripted(lambda *_: loop) as server, pytest.raises(NixpyError, match="redirects without end"):
        look(f"{server.url}/x.whl", None)


def test_a_redirect_to_no_url_is_an_error() -> None:
    """A server that sends us to what is no URL is one clear error."""
    lost = Answer(302, headers={"Location": "https://[x/y.whl"})
    with scripted(lambda *_: lost) as server, pytest.raises(NixpyError, match="is not a URL"):
        look(f"{server.url}/x.whl", None)


def _certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not here to make a certificate")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*command, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


def test_certificates(tmp_path: Path) -> None:
    """A server whose authority is not known is refused at once; with the configured certificates it is believed."""
    certificate, context = _certificate(tmp_path)
    path = pure(tmp_path)
    with scripted(lambda *_: Answer(200, path.read_bytes()), tls=context) as server:
        with pytest.raises(NixpyError, match="not trusted") as caught:
            look(f"{server.url}/x.whl", None)
        assert "SSL_CERT_FILE" in (caught.value.hint or "")
        assert server.asked == []
        known = client(IndexSettings(certificates=certificate))
        assert look(f"{server.url}/x.whl", sha256(path), known) == ((), "sha256")


def test_no_way_from_https_to_http(tmp_path: Path) -> None:
    """A redirect that would give up encryption is not followed."""
    certificate, context = _certificate(tmp_path)
    redirect = Answer(302, headers={"Location": "http://127.0.0.1:1/x.whl"})
    with (
        scripted(lambda *_: redirect, tls=context) as server,
        pytest.raises(NixpyError, match=r"redirects from https to .* does not follow"),
    ):
        look(f"{server.url}/x.whl", None, client(IndexSettings(certificates=certificate)))


def test_a_missing_certificate_file_is_named(tmp_path: Path) -> None:
    """A certificates file that is configured and missing is an error that names it."""
    with pytest.raises(NixpyError, match="certificate") as caught:
        client(IndexSettings(certificates=tmp_path / "gone.pem"))
    assert caught.value.path == str(tmp_path / "gone.pem")


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)))


@given(spans=spans, gap=st.integers(0, 9))
def test_merging_keeps_every_byte(spans: list[Span], gap: int) -> None:
    """Merged spans hold every byte of the given ones, lie more than a gap apart, and add nothing but gaps."""
    wanted = {byte for first, last in spans for byte in range(first, last)}
    merged = merge(spans, gap)
    held = {byte for first, last in merged for byte in range(first, last)}
    assert wanted <= held
    assert all(later[0] - earlier[1] > gap for earlier, later in itertools.pairwise(merged))
    assert all({first, last - 1} <= wanted for first, last in merged)
    assert gap or held == wanted


@settings(max_examples=15)
@given(moves=st.lists(st.tuples(st.integers(0, 700_000), st.integers(0, 200_000)), max_size=8))
def test_reading_piece_by_piece_is_reading_the_file(tmp_path: Path, moves: list[tuple[int, int]]) -> None:
    """Whatever is read in whatever order, the bytes are the file's."""
    content = noise(600_000)
    path = tmp_path / "x-1-py3-none-any.whl"
    path.write_bytes(content)

    def answer(_: str, headers: Message) -> Answer:
        span = _range(headers, len(content))
        return _partial(content, span) if span else Answer(200, content)

    with scripted(answer) as server, closing(client()) as by, closing(PartialFile(f"{server.url}/x", by, None)) as file:
        for position, size in moves:
            file.seek(position)
            assert file.read(size) == content[position : position + size]
