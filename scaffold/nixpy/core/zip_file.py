"""Open zip files, with a limit for the central directory.

Python reads that into memory.
"""

from __future__ import annotations

import zipfile
from typing import IO, Any, cast

from nixpy.core import limits
from nixpy.core.errors import ArchiveError, NixpyError


def open_zip(file: IO[bytes], shown: str) -> zipfile.ZipFile:
    """Open a zip file and read its central directory (APPNOTE, section 4.3.12).

    Raises what zipfile raises for damaged files, and NixpyError, with `shown` as the path, for a directory with too
    many bytes, before it is read, or too many members.
    """
    guard = _Guard(file, shown)
    archive = zipfile.ZipFile(cast("IO[bytes]", guard))
    guard.open = True
    if len(archive.filelist) > limits.MEMBERS:
        raise refused(shown, f"more than {limits.MEMBERS:,} members")
    return archive


def refused(shown: str, what: str) -> NixpyError:
    """Return the error for a zip file that passes a limit; `what` names the limit."""
    return ArchiveError(f"this zip file has {what} and is not read", hint="Check where it comes from.", path=shown)


class _Guard:
    """The file, with a limit for each read.

    zipfile reads the directory in one piece, and no earlier part is longer.
    """

    def __init__(self, file: IO[bytes], shown: str) -> None:
        self._file, self._shown, self.open = file, shown, False

    def read(self, size: int = -1) -> bytes:
        if not self.open and size > limits.DIRECTORY:
            raise refused(self._shown, f"a directory of more than {limits.DIRECTORY:,} bytes")
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
