"""Read a wheel file on this machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

from nixpy.core.errors import ArchiveError, NixpyError
from nixpy.core.read_file import open_bytes
from nixpy.wheels.zipped import ZippedWheel


class LocalWheel(ZippedWheel):
    """The Archive of a wheel file.

    With `sha256` (lower-case hex) the whole file is hashed first. Raises NixpyError if the file is missing, cannot be
    read, or has another hash.
    """

    def __init__(self, path: Path, sha256: str | None = None) -> None:
        try:
            file = open_bytes(path)
        except OSError as error:
            raise ArchiveError(
                f"this wheel cannot be read: {error.strerror}",
                hint="Build the wheel again, or lock the project again if the wheel has moved.",
                path=path,
            ) from None
        super().__init__(file, str(path))
        if sha256 is not None:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != sha256:
                file.close()
                raise hash_mismatch(str(path), sha256, found)


def hash_mismatch(shown: str, expected: str, found: str) -> NixpyError:
    """Return the error for a file with another hash than in the lock."""
    return ArchiveError(
        f"this is not the wheel that was locked: its sha256 is {found}, the lock says {expected}",
        hint="Lock the project again if the file was replaced on purpose; otherwise do not trust it.",
        path=shown,
    )
