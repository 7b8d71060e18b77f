"""Zip files, opened so that Python reads no absurd directory into memory."""

from __future__ import annotations

import zipfile
from typing import IO, Any, cast

from nixpy.core import limits
from nixpy.core.errors import ArchiveError, NixpyError


def open_zip(file: IO[bytes], shown: str) -> zipfile.ZipFile:
    """Return the zip file with its directory read, which has an entry for each member (APPNOTE, section 4.3.12).

    Raises what zipfile does for damaged files, and NixpyError, with `shown` as the path, before it reads a directory
    that passes the limit of bytes, and for one that passes the limit of members.
    """
    guard = _Guard(file, shown)
    archive = zipfile.ZipFile(cast("IO[bytes]", guard))
    guard.open = True
    if len(archive.filelist) > limits.MEMBERS:
        raise refused(shown, f"more than {limits.MEMBERS:,} members")
    return archive


def refused(shown: str, what: str) -> NixpyError:
    """Return the error for a zip file that has more than zip files have."""
    return ArchiveError(f"this zip file has {what} and is not read", hint="Check where it comes from.", path=shown)


class _Guard:
    """The file, of which zipfile reads the directory in one piece; nothing before it is longer."""

    def __init__(self, file: IO[bytes], shown: str) -> None:
        self._file, self._shown, self.open = file, shown, False

    def read(self, size: int = -1) -> bytes:
        if not self.open and size > limits.DIRECTORY:
            raise refused(self._shown, f"a directory of more than {limits.DIRECTORY:,} bytes")
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
