"""The smallest shared objects and programs that a loader would understand, for x86-64."""

from __future__ import annotations

import struct
from collections.abc import Sequence


def shared_object(
    needed: Sequence[str] = (), *, soname: str = "", interpreter: str = "", padding: bytes = b""
) -> bytes:
    """Return an ELF64 file with a dynamic section; `interpreter` makes it a program, `padding` follows it."""
    names, offsets = b"\0", []
    for name in (*needed, soname):
        offsets.append(len(names))
        names += name.encode() + b"\0"
    interp = interpreter.encode() + b"\0" if interpreter else b""
    count = 3 if interp else 2
    strings_at = 64 + 56 * count + len(interp)
    dynamic_at = (strings_at + len(names) + 7) // 8 * 8
    entries = [(1, offset) for offset in offsets[:-1]] + ([(14, offsets[-1])] if soname else [])
    entries += [(5, strings_at), (10, len(names)), (0, 0)]
    dynamic = b"".join(struct.pack("<qQ", tag, value) for tag, value in entries)
    end = dynamic_at + len(dynamic)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01" + bytes(9), 3, 62, 1, 0, 64, 0, 0, 64, 56, count, 0, 0, 0
    )
    segments = _segment(1, 0, end) + _segment(2, dynamic_at, len(dynamic))
    segments += _segment(3, strings_at - len(interp), len(interp)) if interp else b""
    return (header + segments + interp + names).ljust(dynamic_at, b"\0") + dynamic + padding


def _segment(kind: int, offset: int, size: int) -> bytes:
    return struct.pack("<IIQQQQQQ", kind, 4, offset, offset, offset, size, size, 8)
