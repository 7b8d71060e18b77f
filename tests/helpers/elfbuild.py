"""A tiny ELF64 linker: files with exactly the header fields and dynamic entries that a test wants."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

BASE = 0x10000  # virtual address of the file's first byte: addresses are never offsets by accident
LOAD, DYNAMIC, INTERP = 1, 2, 3
NEEDED, STRTAB, STRSZ, SONAME, VERNEED, VERNEEDNUM = 1, 5, 10, 14, 0x6FFFFFFE, 0x6FFFFFFF
VERDEF, VERDEFNUM = 0x6FFFFFFC, 0x6FFFFFFD
RPATH, RUNPATH = 15, 29
HEADER = 64
SEGMENT = 56


def elf(
    *,
    needed: Sequence[str] = (),
    soname: str | None = None,
    rpath: str | None = None,
    runpath: str | None = None,
    interpreter: bytes | None = None,
    versions: Mapping[str, Sequence[str]] | None = None,
    weak: bool = False,
    defines: Sequence[str] = (),
    machine: int = 62,
    kind: int = 3,
    bits: int = 2,
    order: int = 1,
    dynamic: bool = True,
    override: Mapping[int, int] | None = None,
) -> bytes:
    """Return a shared object (or `kind`); `override` replaces the values of dynamic tags.

    `versions` are the symbol versions that it needs by library, all of them `weak` or none, `defines` its own ones.
    """
    strings = b"\0"
    segments: list[tuple[int, int, int]] = []

    def string(text: str) -> int:
        nonlocal strings
        strings += text.encode() + b"\0"
        return len(strings) - 1 - len(text.encode())

    tags = [(NEEDED, string(name)) for name in needed]
    texts = ((SONAME, soname), (RPATH, rpath), (RUNPATH, runpath))
    tags += [(tag, string(text)) for tag, text in texts if text is not None]
    needs = [(string(file), [string(name) for name in names]) for file, names in (versions or {}).items()]
    verneed, verdef = version_needs(needs, flags=2 * weak), version_definitions([string(name) for name in defines])
    start = HEADER + SEGMENT * (1 + dynamic + (interpreter is not None))
    body = interpreter or b""
    if interpreter is not None:
        segments.append((INTERP, start, len(interpreter)))
    body += bytes(-len(body) % 8)
    tags += [(STRTAB, BASE + start + len(body)), (STRSZ, len(strings))]
    body += strings + bytes(-len(strings) % 8)
    if versions:
        tags += [(VERNEED, BASE + start + len(body)), (VERNEEDNUM, len(versions))]
        body += verneed
    if defines:
        tags += [(VERDEF, BASE + start + len(body)), (VERDEFNUM, len(defines))]
        body += verdef
    if dynamic:
        entries = [(tag, (override or {}).get(tag, value)) for tag, value in tags] + [(0, 0)]
        table = b"".join(struct.pack("<qQ", *entry) for entry in entries)
        segments.append((DYNAMIC, start + len(body), len(table)))
        body += table
    segments.append((LOAD, 0, start + len(body)))
    ident = b"\x7fELF" + bytes((bits, order, 1)) + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", kind, machine, 1, 0, HEADER, 0, 0, 64, SEGMENT, len(segments), 64, 0, 0)
    return ident + header + b"".join(segment(*s) for s in segments) + body


def segment(kind: int, offset: int, size: int) -> bytes:
    """Return one program header whose address follows from its offset."""
    return struct.pack("<IIQQQQQQ", kind, 4, offset, BASE + offset, BASE + offset, size, size, 8)


def version_definitions(names: Sequence[int]) -> bytes:
    """Return Elf64_Verdef records with one Elf64_Verdaux each, for string offsets."""
    return b"".join(
        struct.pack("<HHHHIII", 1, 0, i + 1, 1, 0, 20, 0 if i == len(names) - 1 else 28) + struct.pack("<II", name, 0)
        for i, name in enumerate(names)
    )


def version_needs(files: Sequence[tuple[int, Sequence[int]]], *, flags: int = 0) -> bytes:
    """Return Elf64_Verneed records with their Elf64_Vernaux, for string offsets."""
    records = b""
    for number, (file, names) in enumerate(files):
        size = 16 * (1 + len(names))
        records += struct.pack("<HHIII", 1, len(names), file, 16, 0 if number == len(files) - 1 else size)
        for i, name in enumerate(names):
            records += struct.pack("<IHHII", 0, flags, 2 + i, name, 0 if i == len(names) - 1 else 16)
    return records


X86_64, AARCH64 = 62, 183
LOADERS = {X86_64: "/lib64/ld-linux-x86-64.so.2", AARCH64: "/lib/ld-linux-aarch64.so.1"}


def shared_object(
    needed: Sequence[str] = (),
    *,
    soname: str | None = None,
    interpreter: str | None = None,
    padding: bytes = b"",
    machine: int = X86_64,
) -> bytes:
    """Return what most tests want: a library, or with an `interpreter` a program; `padding` follows it."""
    path = interpreter and interpreter.encode() + b"\0"
    return elf(needed=needed, soname=soname, interpreter=path or None, machine=machine) + padding


def program(needed: Sequence[str] = (), *, machine: int = X86_64) -> bytes:
    """Return a program that asks for the usual loader of its machine."""
    return shared_object(needed, interpreter=LOADERS[machine], machine=machine)
