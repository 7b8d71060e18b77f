"""Read a wheel as a zip file (PEP 427), from any seekable file."""

from __future__ import annotations

import contextlib
import functools
import lzma
import struct
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from mmap import ACCESS_READ, mmap
from typing import IO

from nixpy.core import limits
from nixpy.core.errors import ArchiveError, MachineError, NixpyError
from nixpy.core.zip_file import open_zip
from nixpy.wheels.archive import EXECUTE_BITS, Content, Member

_LOCAL_HEADER = 30  # bytes before the name of a member
_LARGE = 64 << 20
_one_large_member = threading.Lock()

# Exceptions of zipfile for a file that contradicts itself.
_READ_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    LookupError,
    OverflowError,
    MemoryError,  # LZMA data may require a dictionary of 4 GB
)


def is_large(size: int) -> bool:
    """Return whether a file of `size` bytes is mapped from disk.

    Eight threads could fill the memory with such files.
    """
    return size >= _LARGE


def no_room(shown: str, error: OSError) -> NixpyError:
    """Return the error for a disk that is full."""
    return MachineError(
        f"there is no room for this wheel: {error.strerror}",
        hint="Free some space, or set TMPDIR to a folder with more.",
        path=shown,
    )


class DamagedWheelError(ArchiveError):
    """The bytes are not a zip file, or contradict its checksums."""


class ZippedWheel:
    """An Archive over an open zip file; `shown` names it in errors.

    Not for several threads at once.
    """

    def __init__(self, file: IO[bytes], shown: str) -> None:
        self._file = file
        self._shown = shown
        self._zip: zipfile.ZipFile | None = None

    @property
    def zip(self) -> zipfile.ZipFile:
        """The zip file with a valid central directory; NixpyError if it is invalid."""
        # Not a cached_property: before Python 3.12 its lock lets only one thread at a time open a wheel.
        if self._zip is None:
            archive = self._open()
            self._check_sizes(archive.infolist())
            self._check_places(archive.infolist())
            self._zip = archive
        return self._zip

    def members(self) -> Sequence[Member]:
        """Return every file, in the order of the central directory.

        Of two with one name the one that zipfile reads.

        Raises DamagedWheelError for an entry without a name, which is neither a file nor a folder.
        """
        if not all(info.filename for info in self.zip.infolist()):
            raise self._damaged(zipfile.BadZipFile("an entry has no name"))
        return tuple(
            Member(info.filename, info.file_size, bool(info.external_attr >> 16 & EXECUTE_BITS))
            for info in self.zip.NameToInfo.values()
            if not info.is_dir()
        )

    def head(self, path: str, size: int) -> bytes:
        """Return the first `size` bytes of a member.

        Raises NixpyError if they cannot be unpacked.
        """
        return self._unpack(path, size)[:size]

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, Content]]:
        """Yield each member with its bytes and verify the checksum.

        Raises NixpyError if one cannot be unpacked.
        """
        for path in paths:
            # One thread at a time unpacks a large file: those of CUDA are gigabytes on the disk.
            with _one_large_member if is_large(self.zip.getinfo(path).file_size) else contextlib.nullcontext():
                yield path, self._unpack(path)

    def close(self) -> None:
        """Close the zip file."""
        self._file.close()

    def _open(self) -> zipfile.ZipFile:
        try:
            return open_zip(self._file, self._shown)
        except _READ_ERRORS as error:
            raise self._damaged(error) from None

    def _unpack(self, path: str, size: int = -1) -> Content:
        try:
            with self.zip.open(path) as member:
                if size < 0 and is_large(self.zip.getinfo(path).file_size):
                    return self._on_disk(member)
                return member.read(size)
        except _READ_ERRORS as error:
            raise self._damaged(error) from None

    def _on_disk(self, member: IO[bytes]) -> mmap:
        with tempfile.TemporaryFile(prefix="nixpy-") as file:
            for chunk in iter(functools.partial(member.read, 1 << 20), b""):
                try:
                    file.write(chunk)
                    file.flush()
                except OSError as error:
                    raise no_room(self._shown, error) from None
            return mmap(file.fileno(), 0, access=ACCESS_READ)

    def _check_sizes(self, infos: Sequence[zipfile.ZipInfo]) -> None:
        unpacked, packed = sum(i.file_size for i in infos), sum(i.compress_size for i in infos)
        if unpacked > limits.UNPACKED or unpacked > max(limits.UNCHECKED, packed * limits.RATIO):
            raise ArchiveError(
                "this wheel claims to unpack to an absurd size and is not opened",
                hint="Check where it comes from.",
                path=self._shown,
            )

    def _check_places(self, infos: Sequence[zipfile.ZipInfo]) -> None:
        """Raise NixpyError if members share bytes.

        Reading such a small wheel could take hours.
        """
        end = 0
        for info in sorted(infos, key=lambda info: info.header_offset):
            if info.header_offset < end:
                raise ArchiveError(
                    "members of this wheel overlap, and it is not opened",
                    hint="Check where it comes from.",
                    path=self._shown,
                )
            end = info.header_offset + _LOCAL_HEADER + info.compress_size

    def _damaged(self, error: Exception) -> DamagedWheelError:
        reason = "it needs more memory than there is" if isinstance(error, MemoryError) else error
        return DamagedWheelError(
            f"this wheel is damaged and cannot be read ({reason})",
            hint="Download or build it again.",
            path=self._shown,
        )
