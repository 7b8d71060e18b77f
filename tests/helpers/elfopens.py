"""ELF files that open libraries at run time: with imported symbols, strings and notes, as a linker lays them out."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence

from elfbuild import BASE, DYNAMIC, HEADER, LOAD, SEGMENT, SONAME, STRSZ, STRTAB, X86_64

NOTE = 4
HASH, SYMTAB, GNU_HASH = 4, 6, 0x6FFFFEF5
READ, WRITE = 4, 2
FDO, DLOPEN = b"FDO\0", 0x407C0C0A


def opener(
    strings: Sequence[str] = (),
    *,
    notes: Sequence[bytes] = (),
    imports: Sequence[str] = ("dlopen",),
    defines: Sequence[str] = (),
    writable: Sequence[str] = (),
    soname: str | None = None,
    machine: int = X86_64,
    hash_table: int | None = HASH,
    names: Sequence[str] = (),
    note_align: int = 4,
) -> bytes:
    """Return a shared object.

    Args:
        strings: The NUL-terminated strings among its constants.
        notes: Notes, as `note` and `dlopen_note` build them, in one segment.
        imports: The names of undefined symbols.
        defines: The names of defined symbols.
        writable: Strings in a segment that can be written.
        soname: Its DT_SONAME.
        machine: Its e_machine.
        hash_table: The dynamic tag of its hash table, or None for a file without one.
        names: More strings in the table of names of symbols and libraries.
        note_align: The alignment of the segment of notes.
    """
    table = b"\0"
    places: dict[str, int] = {}
    for name in (*imports, *defines, *names, *([soname] if soname else [])):
        places[name] = len(table)
        table += name.encode() + b"\0"
    symbols = bytes(24) + b"".join(struct.pack("<IBBHQQ", places[name], 0x12, 0, 0, 0, 0) for name in imports)
    symbols += b"".join(struct.pack("<IBBHQQ", places[name], 0x12, 0, 7, 0, 0) for name in defines)
    first_hashed = 1 + len(imports)
    count = first_hashed + len(defines)
    hashes = struct.pack("<II", 1, first_hashed if hash_table == GNU_HASH else count) + bytes(8)
    body = b""
    start = HEADER + SEGMENT * 4

    def put(content: bytes) -> tuple[int, int]:
        nonlocal body
        body += bytes(-len(body) % 8)
        place = start + len(body)
        body += content
        return place, len(content)

    note_place = put(b"".join(notes))
    put(b"\0" + b"".join(text.encode() + b"\0" for text in strings))
    hash_place, symbol_place, table_place = put(hashes), put(symbols), put(table)
    entries = [(SYMTAB, BASE + symbol_place[0]), (STRTAB, BASE + table_place[0]), (STRSZ, len(table))]
    entries += [(hash_table, BASE + hash_place[0])] if hash_table else []
    entries += [(SONAME, places[soname])] if soname else []
    dynamic = put(b"".join(struct.pack("<qQ", *entry) for entry in [*entries, (0, 0)]))
    read_only = (0, start + len(body))
    changing = put(b"\0" + b"".join(text.encode() + b"\0" for text in writable))
    segments = [
        _segment(LOAD, READ, *read_only, 4096),
        _segment(LOAD, READ | WRITE, *changing, 4096),
        _segment(DYNAMIC, READ, *dynamic, 8),
        _segment(NOTE, READ, *note_place, note_align),
    ]
    ident = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, HEADER, 0, 0, 64, SEGMENT, len(segments), 64, 0, 0)
    return ident + header + b"".join(segments) + body


def note(content: bytes, *, owner: bytes = FDO, kind: int = DLOPEN, align: int = 4) -> bytes:
    """Return one note with padding."""
    name = owner + bytes(-(12 + len(owner)) % align)
    return struct.pack("<III", len(owner), len(content), kind) + name + content + bytes(-len(content) % align)


def dlopen_note(*entries: Mapping[str, object]) -> bytes:
    """Return a `.note.dlopen`."""
    return note(json.dumps(entries).encode() + b"\0")


def _segment(kind: int, flags: int, offset: int, size: int, align: int) -> bytes:
    return struct.pack("<IIQQQQQQ", kind, flags, offset, BASE + offset, BASE + offset, size, size, align)
