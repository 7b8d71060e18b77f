"""Read names, addresses and hashes of files in uv.lock and pylock.toml."""

from __future__ import annotations

from pathlib import Path

from nixpy.core.urls import file_name, file_path
from nixpy.locks.model import WheelFile


def wheel_file(
    *,
    base: Path,
    filename: str | None,
    url: str | None,
    path: str | None,
    sha256: str | None,
    size: object = None,
) -> WheelFile:
    """Return a wheel that is at `url`, or at `path` relative to `base`.

    A `file:` address is a path.

    The name is `filename`, else the last part of the path or of the address, percent-decoded (PEP 751). A `size` that
    is not a number of bytes is ignored.
    """
    local = base / path if path else file_path(url)
    name = filename or (local.name if local else file_name(url or ""))
    return WheelFile(
        filename=name,
        sha256=sha256 and sha256.lower(),
        url=None if local else url,
        path=local,
        size=size if isinstance(size, int) and size > 0 else None,
    )
