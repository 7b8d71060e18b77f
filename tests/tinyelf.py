"""The smallest ELF files that say something: a header, program headers, a dynamic section and its strings.

They can be made for machines no compiler here is for; that readelf reads them too is shown in `needs/test_tinyelf.py`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

X86_64, AARCH64 = 62, 183
LOADERS = {X86_64: "/lib64/ld-linux-x86-64.so.2", AARCH64: "/lib/ld-linux-aarch64.so.1"}

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_SONAME = 1, 5, 10, 14
_HEADER, _PROGRAM_HEADER = 64, 56
_ET_DYN = 3


def elf(
    needed: Sequence[str] = (),
    *,
    machine: int = X86_64,
    soname: str | None = None,
    interpreter: str | None = None,
) -> bytes:
    """Return a 64-bit little-endian ELF file with these dynamic entries; with an interpreter it is a program."""
    strings = b"\0"
    entries: list[tuple[int, int]] = []
    for tag, text in [*((_DT_NEEDED, name) for name in needed), *([(_DT_SONAME, soname)] if soname else [])]:
        entries.append((tag, len(strings)))
        strings += text.encode() + b"\0"
    headers = 3 if interpreter else 2
    dynamic_at = _HEADER + headers * _PROGRAM_HEADER
    dynamic_size = 16 * (len(entries) + 3)
    strings_at = dynamic_at + dynamic_size
    interpreter_at = strings_at + len(strings)
    path = interpreter.encode() + b"\0" if interpreter else b""
    end = interpreter_at + len(path)
    entries += [(_DT_STRTAB, strings_at), (_DT_STRSZ, len(strings)), (0, 0)]

    def segment(kind: int, at: int, size: int) -> bytes:
        # The file is mapped at address 0, so that addresses are offsets.
        return struct.pack("<IIQQQQQQ", kind, 6, at, at, at, size, size, 8)

    segments = segment(_PT_LOAD, 0, end) + segment(_PT_DYNAMIC, dynamic_at, dynamic_size)
    if interpreter:
        segments += segment(_PT_INTERP, interpreter_at, len(path))
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = ident + struct.pack(
        "<HHIQQQIHHHHHH", _ET_DYN, machine, 1, 0, _HEADER, 0, 0, _HEADER, _PROGRAM_HEADER, headers, 64, 0, 0
    )
    dynamic = b"".join(struct.pack("<qQ", *entry) for entry in entries)
    return header + segments + dynamic + strings + path


def program(needed: Sequence[str] = (), *, machine: int = X86_64) -> bytes:
    """Return a program that asks for the usual loader of its machine."""
    return elf(needed, machine=machine, interpreter=LOADERS[machine])
