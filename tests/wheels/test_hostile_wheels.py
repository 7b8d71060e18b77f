"""A wheel, or what is installed of one, that is made to break its reader is one error that names it."""

from __future__ import annotations

import copy
import io
import os
import struct
import subprocess
import sys
import time
import warnings
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from nixpy.core import limits
from nixpy.core.core_metadata import parse
from nixpy.core.errors import NixpyError
from nixpy.core.target import Target
from nixpy.index.settings import IndexSettings
from nixpy.locks.model import WheelFile
from nixpy.sdists.release import SdistIndex
from nixpy.sdists.sdist import read_sdist
from nixpy.wheels.elf_files import inspect
from nixpy.wheels.facts import read_facts
from nixpy.wheels.http import Client
from nixpy.wheels.installed import installed_wheels
from nixpy.wheels.local import LocalWheel
from nixpy.wheels.remote import RemoteWheel
from wheels.scripted import Answer, scripted

TARGET = Target(system="x86_64-linux", python="3.13.1", glibc=(2, 42))
NAMED = b"Metadata-Version: 2.4\nName: demo\nVersion: 1\n"


def test_damaged_lzma_member(tmp_path: Path) -> None:
    """A member that LZMA cannot unpack makes the wheel a damaged one."""
    path = tmp_path / "demo-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as wheel:
        wheel.writestr("a.so", b"x" * 500)
        start = wheel.infolist()[0].header_offset + 30 + len("a.so") + 9
    raw = bytearray(path.read_bytes())
    raw[start : start + 12] = b"\xff" * 12
    path.write_bytes(raw)
    with closing(LocalWheel(path)) as archive, pytest.raises(NixpyError, match="damaged") as caught:
        list(archive.read(["a.so"]))
    assert caught.value.path == str(path)


@pytest.mark.parametrize("kind", [b"message/rfc822", b"multipart/mixed; boundary=x\n\n--x"])
def test_metadata_of_nested_mails(tmp_path: Path, kind: bytes) -> None:
    """METADATA with mails in it is read as what it is: fields, and a text below them."""
    nested = (b"Content-Type: " + kind + b"\n\n") * 3_000
    content = NAMED + b"Requires-Dist: six\n" + nested
    assert parse(content, "METADATA")["requires_dist"] == ["six"]
    path = tmp_path / "demo-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("demo-1.dist-info/METADATA", content)
    with closing(LocalWheel(path)) as archive:
        assert read_facts(archive, requires=True).requires == ("six",)


@pytest.mark.parametrize(
    "more",
    [
        b"".join(b"X-%d: y\n" % number for number in range(limits.FIELD_NAMES)),
        b"Requires-Dist: six\n" * limits.FIELDS,
        b"\n" + b"x" * limits.METADATA,
    ],
    ids=["names", "fields", "bytes"],
)
def test_metadata_past_a_limit(more: bytes) -> None:
    """More fields, names of fields or bytes than honest packages have are an error that names the file."""
    with pytest.raises(NixpyError, match="absurdly large") as caught:
        parse(NAMED + more, "demo/METADATA")
    assert (caught.value.path, bool(caught.value.hint)) == ("demo/METADATA", True)


def _site(venv: Path) -> Path:
    info = venv / "lib/python3.13/site-packages/demo-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_bytes(NAMED)
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nTag: py3-none-any\n")
    (info / "RECORD").write_text("demo.py,,\n")
    (info.parent / "demo.py").touch()
    return info


def test_record_with_a_nul(tmp_path: Path) -> None:
    """A path of RECORD that no file can have is none of the environment."""
    (_site(tmp_path) / "RECORD").write_bytes(b"demo.py,,\na\0b.so,,\n")
    (wheel,) = installed_wheels(tmp_path).values()
    assert [member.path for member in wheel.members()] == ["demo.py"]


@pytest.mark.parametrize("name", ["METADATA", "RECORD", "direct_url.json"])
def test_fifo_in_an_environment(tmp_path: Path, name: str) -> None:
    """A FIFO among the metadata of an environment is not waited for; the distribution proves nothing."""
    info = _site(tmp_path)
    (info / name).unlink(missing_ok=True)
    os.mkfifo(info / name)
    assert not installed_wheels(tmp_path)


@pytest.mark.parametrize("kind", ["FIFO", "device", "folder"])
def test_wheel_that_is_no_file(tmp_path: Path, kind: str) -> None:
    """A FIFO or a device in the place of a wheel or an sdist that a lock names is refused, not waited for."""
    path = tmp_path / "demo-1-py3-none-any.whl"
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    sdist = WheelFile(filename="demo-1.tar.gz", path=path)
    index = SdistIndex(root=tmp_path, target=TARGET, offline=True, settings=IndexSettings())
    for read in (lambda: LocalWheel(path, "0" * 64), lambda: index.sdist(sdist)):
        with pytest.raises(NixpyError, match="directory" if kind == "folder" else "not a regular file") as caught:
            read()
        assert str(caught.value.path) == str(path)


def test_overlapping_members(tmp_path: Path) -> None:
    """A wheel that lists one member many times is refused before any of them is unpacked."""
    path = tmp_path / "demo-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("0.so", b"\x7fELF" + bytes(1 << 20))
        for number in range(1, 200):
            info = copy.copy(wheel.infolist()[0])
            info.filename = f"{number}.so"
            wheel.filelist.append(info)
            wheel.NameToInfo[info.filename] = info
    with closing(LocalWheel(path)) as archive, pytest.raises(NixpyError, match="overlap") as caught:
        inspect(archive)
    assert (caught.value.path, bool(caught.value.hint)) == (str(path), True)


def directory(members: int, *, size: int | None = None) -> bytes:
    """Return a zip file of a directory alone, whose end says that it has `size` bytes."""
    entries = b"".join(
        struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 3, 20, 0, 0, 0, 0, 33, 0, 0, 0, 4, *[0] * 6) + b"%04x" % number
        for number in range(members)
    )
    size = len(entries) if size is None else size
    return entries + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, members, members, size, 0, 0)


@pytest.mark.parametrize(
    ("limit", "message"), [("DIRECTORY", "a directory of more than 1,000 bytes"), ("MEMBERS", "more than 10 members")]
)
def test_large_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, message: str) -> None:
    """A directory with more bytes than the limit is not read, and one with more members is not looked at; an sdist has
    the same limits.
    """
    content = directory(100)
    path = tmp_path / "demo-1-py3-none-any.whl"
    path.write_bytes(content)
    monkeypatch.setattr(limits, limit, 1_000 if limit == "DIRECTORY" else 10)
    with closing(LocalWheel(path)) as archive, pytest.raises(NixpyError, match=message) as caught:
        archive.members()
    assert (caught.value.path, bool(caught.value.hint)) == (str(path), True)
    with pytest.raises(NixpyError, match=message):
        read_sdist(io.BytesIO(content), "demo-1.zip", "demo-1.zip")
    with scripted(lambda *_: Answer(200, content)) as server, pytest.raises(NixpyError, match=message):
        look(f"{server.url}/demo-1-py3-none-any.whl")
    assert len(server.asked) == 1


@pytest.mark.parametrize(("said", "message"), [(10**17, "than any wheel has"), (limits.UNKNOWN_SIZE, "a directory of")])
def test_large_directory_behind_an_index(said: int, message: str) -> None:
    """Of a file that a server says to be absurdly large, no more than the end is asked for, and not all of memory."""
    content = directory(1, size=4_000_000_000)

    def answer(*_: object) -> Answer:
        where = f"bytes {said - len(content)}-{said - 1}/{said}"
        return Answer(206, content, {"Content-Range": where})

    with scripted(answer) as server, pytest.raises(NixpyError, match=message):
        look(f"{server.url}/demo-1-py3-none-any.whl")
    assert len(server.asked) == 1


def look(url: str) -> None:
    client = Client(IndexSettings(), attempts=1)
    with closing(client), closing(RemoteWheel(url, client)) as wheel:
        inspect(wheel)


def test_one_name_many_times(tmp_path: Path) -> None:
    """Of members with one name, one is read, once: the last one, as installers do."""
    path = tmp_path / "demo-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(300):
            wheel.writestr("a.so", b"\x7fELF%d" % number + bytes(100))
    with closing(LocalWheel(path)) as archive:
        assert len(archive.members()) == 1
        assert inspect(archive) == ()
        ((_, content),) = archive.read(["a.so"])
        assert bytes(content).startswith(b"\x7fELF299")


def test_lzma_that_needs_all_memory(tmp_path: Path) -> None:
    """A member whose dictionary does not fit into memory makes the wheel a damaged one."""
    path = tmp_path / "demo-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as wheel:
        wheel.writestr("a.so", b"x" * 500)
    raw = path.read_bytes()
    start = 30 + len("a.so") + 5  # behind the local header: version, size of the properties, and their first byte
    path.write_bytes(raw[:start] + b"\xff" * 4 + raw[start + 4 :])
    program = "import sys, resource; from pathlib import Path; from nixpy.wheels.local import LocalWheel\n"
    program += "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
    program += "list(LocalWheel(Path(sys.argv[1])).read(['a.so']))"
    ran = subprocess.run([sys.executable, "-c", program, path], check=False, capture_output=True, text=True)
    assert "DamagedWheelError" in ran.stderr


def test_links_to_one_file(tmp_path: Path) -> None:
    """An environment of many links to one large file costs no more than the links: their target is mapped."""
    info = _site(tmp_path)
    large = info.parent / "large.so"
    large.write_bytes(b"\x7fELF")
    os.truncate(large, 60 << 20)
    names = [f"{number}.so" for number in range(500)]
    for name in names:
        (info.parent / name).symlink_to(large)
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in names))
    (wheel,) = installed_wheels(tmp_path).values()
    start = time.process_time()
    assert inspect(wheel) == ()
    assert len(wheel.members()) == 500
    assert time.process_time() - start < 2
