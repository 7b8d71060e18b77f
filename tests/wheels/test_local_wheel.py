"""Wheels on this machine: what is in them, and what happens when they are damaged."""

from __future__ import annotations

import zipfile
from contextlib import closing
from mmap import mmap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elfbuild import shared_object
from nixpy.core.errors import NixpyError
from nixpy.wheels import zipped
from nixpy.wheels.archive import Member
from nixpy.wheels.elf_files import inspect
from nixpy.wheels.local import LocalWheel
from smallindex import build_wheel
from wheels.samples import sha256


def test_members_have_path_size_and_execute_bit(tmp_path: Path) -> None:
    """Members are the files, without folders; the execute bit is the one in the external attributes."""
    path = tmp_path / "a-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.mkdir("pkg")
        wheel.writestr("pkg/data", b"12345")
        program = zipfile.ZipInfo("pkg/run")
        program.external_attr = 0o100744 << 16
        wheel.writestr(program, b"abc")
    with closing(LocalWheel(path)) as archive:
        assert archive.members() == (Member("pkg/data", 5, False), Member("pkg/run", 3, True))
        assert archive.head("pkg/data", 2) == b"12"
        assert dict(archive.read(["pkg/run", "pkg/data"])) == {"pkg/data": b"12345", "pkg/run": b"abc"}


def test_another_file_than_the_locked_one_is_refused(tmp_path: Path) -> None:
    """A local wheel whose hash is not the lock's is an error that tells both."""
    path = build_wheel(tmp_path, "demo", "1.0")
    LocalWheel(path, sha256(path)).close()
    with pytest.raises(NixpyError, match=f"sha256 is {sha256(path)}, the lock says {'0' * 64}") as caught:
        LocalWheel(path, "0" * 64)
    assert caught.value.path == str(path)


def test_a_missing_wheel_is_named(tmp_path: Path) -> None:
    """A wheel that is not there is an error with its path and a way out."""
    with pytest.raises(NixpyError, match="No such file") as caught:
        LocalWheel(tmp_path / "gone-1-py3-none-any.whl")
    assert caught.value.hint
    assert "gone-1" in str(caught.value)


def test_an_entry_without_a_name_is_damage(tmp_path: Path) -> None:
    """A wheel with an entry that has no name is damaged, and the error says so."""
    path = tmp_path / "a-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(zipfile.ZipInfo("pkg"), b"12345")
    path.write_bytes(path.read_bytes().replace(b"pkg", b"\0kg"))  # a name ends at a NUL
    with closing(LocalWheel(path)) as archive, pytest.raises(NixpyError, match="an entry has no name") as caught:
        archive.members()
    assert caught.value.path == str(path)


@settings(max_examples=150)
@given(data=st.data())
def test_damage_is_one_clear_error(tmp_path: Path, data: st.DataObject) -> None:
    """A truncated or altered wheel is read all the same, or is a NixpyError that names it; never anything else."""
    content = bytearray(_sample(tmp_path))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.whl"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    with closing(LocalWheel(path)) as archive:
        error = _error(archive)
    assert error is None or error.path == str(path)


def _error(archive: LocalWheel) -> NixpyError | None:
    try:
        list(archive.read([member.path for member in archive.members()]))
    except NixpyError as error:
        return error
    return None


def _sample(folder: Path) -> bytes:
    path = folder / "demo-1.0-py3-none-any.whl"
    if not path.exists():
        build_wheel(folder, "demo", "1.0", files={"a.so": shared_object(["libz.so.1"]), "b.txt": "text" * 50})
    return path.read_bytes()


def test_a_zip_bomb_is_not_opened(tmp_path: Path) -> None:
    """A wheel that claims to unpack to hundreds of times its size is refused before anything is unpacked."""
    path = tmp_path / "bomb-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as wheel:
        for number in range(5):
            wheel.writestr(f"{number}.so", bytes(64 << 20))
    with closing(LocalWheel(path)) as archive, pytest.raises(NixpyError, match="absurd size"):
        archive.members()


def test_an_encrypted_member_is_an_error(tmp_path: Path) -> None:
    """A member that needs a password cannot be read, and that is said."""
    path = build_wheel(tmp_path, "demo", "1.0", files={"a.so": b"x" * 99}, stored=True)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01", 1))
    with closing(LocalWheel(path)) as archive, pytest.raises(NixpyError, match="encrypted"):
        list(archive.read(["a.so"]))


def test_large_members_are_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a certain size on a member is unpacked to disk and mapped, byte for byte; its head comes as bytes."""
    monkeypatch.setattr(zipped, "_LARGE", 1000)
    data = shared_object(["libz.so.1"], padding=b"x" * 5000)
    path = build_wheel(tmp_path, "demo", "1.0", files={"a.so": data, "b.so": b"small"})
    with closing(LocalWheel(path)) as archive:
        content = dict(archive.read(["a.so", "b.so"]))
        assert isinstance(content["a.so"], mmap)
        assert content["a.so"][:] == data
        assert content["b.so"] == b"small"
        assert archive.head("a.so", 4) == data[:4]
        assert [file.needed for file in inspect(archive)] == [("libz.so.1",)]


def test_a_large_damaged_member_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checksum of a mapped member is verified as well."""
    monkeypatch.setattr(zipped, "_LARGE", 1000)
    path = build_wheel(tmp_path, "demo", "1.0", files={"a.so": b"x" * 5000}, stored=True)
    raw = bytearray(path.read_bytes())
    raw[2000] ^= 1
    path.write_bytes(raw)
    with closing(LocalWheel(path)) as archive, pytest.raises(NixpyError, match="damaged"):
        list(archive.read(["a.so"]))
