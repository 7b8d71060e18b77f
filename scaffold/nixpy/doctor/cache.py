"""Read the sonames and files in the cache of a glibc loader.

On other distributions it is /etc/ld.so.cache.

The format is that of glibc's sysdeps/generic/dl-cache.h: a header, entries of fixed size, strings. A loader contains
the path of its cache, which nixpy reads from it: that of nixpkgs is in its own store path and does not exist.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

_PATH = re.compile(rb"/[!-~]*/ld\.so\.cache(?=\0)")
_MAGIC = b"glibc-ld.so.cache1.1"
_COUNT = struct.Struct("<I")
_ENTRY = struct.Struct("<iIIIQ")  # flags, key, value, osversion, hwcap
_HEADER_SIZE = 48


def of_loader(loader: Path) -> dict[str, Path]:
    """Return the sonames in the cache of this loader with an existing file.

    Each has the first of its files.
    """
    try:
        match = _PATH.search(loader.read_bytes())
        data = Path(match[0].decode()).read_bytes() if match else b""
    except OSError:
        return {}
    found: dict[str, Path] = {}
    for soname, path in parse(data):
        if soname not in found and Path(path).exists():
            found[soname] = Path(path)
    return found


def parse(data: bytes) -> list[tuple[str, str]]:
    """Return soname and path of each entry; empty if the bytes are not such a cache.

    Offsets count from the magic, which an older table may precede.
    """
    start = data.find(_MAGIC)
    if start < 0:
        return []
    table = data[start:]
    try:
        (count,) = _COUNT.unpack_from(table, len(_MAGIC))
        entries = [_ENTRY.unpack_from(table, _HEADER_SIZE + i * _ENTRY.size) for i in range(min(count, 1 << 16))]
    except struct.error:
        return []
    return [(_string(table, key), _string(table, value)) for _, key, value, _, _ in entries]


def _string(table: bytes, offset: int) -> str:
    return table[offset : table.find(b"\0", offset)].decode("utf-8", "replace")
