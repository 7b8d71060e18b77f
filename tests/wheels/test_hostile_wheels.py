"""A wheel, or what is installed of one, that is made to break its reader is one error that names it."""

from __future__ import annotations

import copy
import os
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from nixpy.core import limits
from nixpy.core.core_metadata import parse
from nixpy.core.errors import NixpyError
from nixpy.wheels.elf_files import inspect
from nixpy.wheels.installed import installed_wheels
from nixpy.wheels.local import LocalWheel
from nixpy.wheels.metadata import requires

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
        assert requires(archive) == ("six",)


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
