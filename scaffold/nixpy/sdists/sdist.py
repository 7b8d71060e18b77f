"""Read the metadata of an sdist and how it is built, without unpacking it.

An sdist is a .tar.gz, or an old .zip or other tar, with one folder at its top that has PKG-INFO and, in all but old
ones, pyproject.toml (source distribution format; PEP 517 and 625).
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Protocol, cast

from nixpy.core import limits
from nixpy.core.errors import ArchiveError, NixpyError
from nixpy.core.zip_file import open_zip
from nixpy.locks.source_tree import COMPILED, NOT_BUILT
from nixpy.needs.sources.modules import is_test

_METADATA_SIZES = {"PKG-INFO": 16 << 20, "pyproject.toml": 4 << 20}  # bytes; a long description is in PKG-INFO
# Represents all files to compile, of which nixpy only records that they exist.
_SOURCE = ""
_CARGO_LOCK = "Cargo.lock"  # of which nixpy only records the path
# Text compresses ten to one; a file that unpacks to more than a hundred times its size is hostile.
_HIGHEST_RATIO = 100
_UNCHECKED_SIZE = 64 << 20
_READ_ERRORS = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    LookupError,
    OverflowError,
    MemoryError,  # LZMA data may require a dictionary of 4 GB
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sdist:
    """The content of an sdist: PKG-INFO, pyproject.toml, and files to compile.

    There may be no pyproject.toml. Of files to compile only their existence is known.

    `cargo_roots` are its folders with a Cargo.lock, from the top down; the top itself is an empty string. `sources` are
    its Python files by their path, which begins with the top folder; tests, documentation and files past the limits of
    `core.limits` are left out.
    """

    pkg_info: bytes
    pyproject: bytes | None
    compiled: bool
    cargo_roots: tuple[str, ...]
    sources: Mapping[str, bytes]


def read_sdist(file: IO[bytes], name: str, shown: str) -> Sdist:
    """Return the content of the sdist with the file name `name`.

    `shown` is its place in messages.

    Raises NixpyError if it is damaged, is not an sdist, has paths outside its folder or a file twice, or unpacks to
    an absurd size.
    """
    file.seek(0)
    try:
        members = list(_zip_members(file, shown) if name.endswith(".zip") else _tar_members(file, name, shown))
    except _READ_ERRORS as error:
        raise ArchiveError(
            f"this sdist is damaged and cannot be read ({str(error) or 'reading it needs too much memory'})",
            hint="Choose another version.",
            path=shown,
        ) from None
    found: dict[str, dict[str, bytes]] = {}
    compiled = {root for root, member, _ in members if member == _SOURCE}
    locks = {(root, member.rpartition("/")[0]) for root, member, _ in members if _is_lock(member)}
    for root, member, content in (item for item in members if item[1] in _METADATA_SIZES):
        if member in found.setdefault(root, {}):
            raise _refused(shown, f"has {member} twice")
        found[root][member] = content
    tops = [(root, files) for root, files in found.items() if "PKG-INFO" in files]
    if len(tops) != 1:
        raise ArchiveError(
            "this is not an sdist: it does not have exactly one folder with PKG-INFO",
            hint="Choose another version.",
            path=shown,
        )
    root, files = tops[0]
    sources = {f"{top}/{path}": content for top, path, content in members if path.endswith(".py") and top == root}
    return Sdist(
        sources=sources,
        pkg_info=files["PKG-INFO"],
        pyproject=files.get("pyproject.toml"),
        compiled=root in compiled,
        cargo_roots=tuple(sorted((f for top, f in locks if top == root), key=lambda f: (f.count("/") + bool(f), f))),
    )


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


_UNPACK: Mapping[str, Callable[[IO[bytes]], _Readable]] = {
    "bz2": bz2.BZ2File,
    "gz": lambda file: gzip.GzipFile(fileobj=file),
    "tgz": lambda file: gzip.GzipFile(fileobj=file),
    "xz": lzma.LZMAFile,
}


class _Limited(io.RawIOBase):
    """The unpacked stream, with a limit.

    It fails when it is larger than the packed file can reasonably be.
    """

    def __init__(self, stream: _Readable, most: int, shown: str) -> None:
        self._stream, self._left, self._shown = stream, most, shown

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise _refused(self._shown, "unpacks to an absurd size")
        return data


def _tar_members(file: IO[bytes], name: str, shown: str) -> Iterator[tuple[str, str, bytes]]:
    kind = name.rpartition(".")[2]
    if kind not in _UNPACK:
        raise ArchiveError("nixpy does not read sdists of this format", hint="Choose another version.", path=shown)
    left = limits.SOURCES
    limited = _Limited(_UNPACK[kind](file), _limit(file), shown)
    with tarfile.open(fileobj=cast("IO[bytes]", limited), mode="r|") as archive:
        for count, member in enumerate(archive):
            part = _part(member.name, count, shown)
            if part and member.isreg():
                content = archive.extractfile(member)
                assert content is not None  # noqa: S101  # a regular file has some
                yield *part, _read(content, part[1], shown, left)
                left -= member.size if part[1].endswith(".py") else 0


def _zip_members(file: IO[bytes], shown: str) -> Iterator[tuple[str, str, bytes]]:
    left = limits.SOURCES
    with open_zip(file, shown) as archive:
        for count, info in enumerate(archive.infolist()):
            part = _part(info.filename, count, shown)
            if part and not info.is_dir():
                with archive.open(info) as content:
                    yield *part, _read(content, part[1], shown, left)
                left -= info.file_size if part[1].endswith(".py") else 0


def _limit(file: IO[bytes]) -> int:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    return max(_UNCHECKED_SIZE, size * _HIGHEST_RATIO)


def _part(name: str, count: int, shown: str) -> tuple[str, str] | None:
    """Return the top folder and the path below it of a file that nixpy needs.

    The path is `_SOURCE` for files to compile.

    Raises NixpyError for a name that is invalid in an sdist.
    """
    parts = name.removeprefix("./").split("/")
    if name.startswith("/") or ".." in parts or "\\" in name:
        raise _refused(shown, f"has a file named {name!r}")
    if count >= limits.MEMBERS:
        raise _refused(shown, "has an absurd number of files")
    if len(parts) > 1 and NOT_BUILT.isdisjoint(parts[1:-1]):
        if parts[-1].endswith(COMPILED):
            return parts[0], _SOURCE
        path = "/".join(parts[1:])
        if parts[-1] == _CARGO_LOCK or (parts[-1].endswith(".py") and not is_test(path)):
            return parts[0], path
    return (parts[0], parts[1]) if len(parts) == 2 and parts[1] in _METADATA_SIZES else None


def _is_lock(member: str) -> bool:
    return member.rpartition("/")[2] == _CARGO_LOCK


def _read(content: IO[bytes], member: str, shown: str, left: int) -> bytes:
    """Return the bytes of a file; empty for one of which nixpy needs only the path.

    `left` are the bytes that sources may still have.
    """
    if member.endswith(".py"):
        source = content.read(max(min(limits.SOURCE, left), 0) + 1)
        return source if len(source) <= min(limits.SOURCE, left) else b""
    if member not in _METADATA_SIZES:
        return b""
    data = content.read(_METADATA_SIZES[member] + 1)
    if len(data) > _METADATA_SIZES[member]:
        raise _refused(shown, f"has a {member} of an absurd size")
    return data


def _refused(shown: str, what: str) -> NixpyError:
    return ArchiveError(f"this sdist {what} and is not read", hint="Check where it comes from.", path=shown)
