"""Where a lock says a file is: names, addresses and hashes as uv.lock and pylock.toml spell them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from nixpy.locks.model import WheelFile


def wheel_file(
    *,
    base: Path,
    filename: str | None,
    url: str | None,
    path: str | None,
    sha256: str | None,
    size: int | None,
) -> WheelFile:
    """Return a wheel that is at `url`, or at `path` relative to `base`; a `file:` address is a path.

    The name is `filename`, else the last part of the path or of the address, percent-decoded (PEP 751).
    """
    local = base / path if path else local_path(url)
    name = filename or (local.name if local else file_name(url or ""))
    return WheelFile(filename=name, sha256=sha256 and sha256.lower(), url=None if local else url, path=local, size=size)


def file_name(url: str) -> str:
    """Return the file's name in an address, percent-decoded, without query and fragment."""
    # Split by hand: a lock has thousands of addresses, and urlsplit takes most of the time of reading them.
    return unquote(url.partition("#")[0].partition("?")[0].rpartition("/")[2])


def local_path(url: str | None) -> Path | None:
    """Return the path that a `file:` address means; None for any other."""
    if not url or not url.lower().startswith("file:"):
        return None
    return Path(unquote(urlsplit(url).path))
