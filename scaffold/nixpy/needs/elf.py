"""Read the linking facts of one ELF file from a buffer, with `struct` only.

Source: the System V gABI, chapters 4 (object files) and 5 (program loading and dynamic linking), and the LSB
on symbol versions for DT_VERNEED. Only what a program loader reads counts, the program headers and the
dynamic segment; sections are never looked at, since tools strip and rewrite them freely.
"""

from __future__ import annotations

import re
import struct
from collections import defaultdict
from collections.abc import Iterator
from mmap import mmap

from nixpy.needs.model import ElfFile

MAGIC = b"\x7fELF"
HEADER_SIZE = 64  # bytes of an ELF64 header; a smaller file is not ELF

_EXECUTABLE, _SHARED = 2, 3  # e_type
_LOAD, _DYNAMIC, _INTERP = 1, 2, 3  # p_type
_NULL, _NEEDED, _STRTAB, _STRSZ, _SONAME = 0, 1, 5, 10, 14  # d_tag
_RPATH, _RUNPATH = 15, 29
_VERDEF, _VERDEFNUM, _VERNEED, _VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
_WEAK = 2  # vna_flags: VER_FLG_WEAK

_HEADER = struct.Struct("<4xBBB9xHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_ENTRY = struct.Struct("<qQ")
_VERSION_NEED = struct.Struct("<HHIII")
_VERSION_AUX = struct.Struct("<IHHII")
_VERSION_DEFINITION = struct.Struct("<HHHHIII")
_NAME_STEP = struct.Struct("<II")

# Far more than any linker writes. Without these limits, reading a damaged or hostile file may take minutes.
_LONGEST_NAME = 4096
_MOST_SEGMENTS = 256
_MOST_ENTRIES = 1 << 14
_MOST_TEXT = 1 << 18  # characters of all names of a file together; many entries may name the same long string

_GLIBC_VERSION = re.compile(r"GLIBC_(\d{1,4}(?:\.\d{1,4})+)", re.ASCII)  # not GLIBC_PRIVATE, GLIBC_ABI_DT_RELR


class _DamagedError(Exception):
    """Something in the file contradicts the specification."""


def read(data: bytes | bytearray | memoryview | mmap, path: str) -> ElfFile | None:
    """Return the linking facts of the ELF file in `data`; `path` is only recorded.

    Returns None for every file that a 64-bit little-endian loader does not link at run time: other formats, 32-bit and
    big-endian files, object and core files, static programs (no PT_DYNAMIC, no PT_INTERP), detached debug files (their
    dynamic segment has no contents or no string table), and damaged files: a contradiction anywhere in the parts that
    nixpy reads makes the whole file unreadable. Never raises, whatever the bytes.

    A static position-independent program has a dynamic segment, so it is returned, without needs and interpreter.
    `interpreter` is None if PT_INTERP is absent or empty before its first NUL.
    """
    with memoryview(data) as view:
        try:
            return _Reader(view).file(path)
        except _DamagedError:
            return None


def run_path(data: bytes | bytearray | memoryview | mmap) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the folders of DT_RPATH and of DT_RUNPATH, as they are written.

    The result is empty if `read` returns None.

    DT_RPATH is empty if there is a DT_RUNPATH, since the loader ignores it then (gABI, chapter 5).
    """
    with memoryview(data) as view:
        try:
            old, new = _Reader(view).run_path()
        except _DamagedError:
            return (), ()
    return () if new is not None else _folders(old), _folders(new)


def needed_versions(data: bytes | bytearray | memoryview | mmap) -> tuple[tuple[str, str], ...]:
    """Return the symbol versions that a file needs.

    Each follows the soname of its library. Source: the LSB on DT_VERNEED. The loader refuses a file if the library
    defines versions and lacks one of these. Weak ones are left out, since the loader accepts that they are missing. The
    result is empty if `read` returns None.

    Example: `(("libc.so.6", "GLIBC_2.34"), ("libstdc++.so.6", "GLIBCXX_3.4.29"))`.
    """
    with memoryview(data) as view:
        try:
            return tuple(_Reader(view).needed_versions())
        except _DamagedError:
            return ()


def defined_versions(data: bytes | bytearray | memoryview | mmap) -> frozenset[str]:
    """Return the symbol versions that a library defines (DT_VERDEF).

    The result is empty for a library without versions, from which the loader accepts every version, and if `read`
    returns None.
    """
    with memoryview(data) as view:
        try:
            return frozenset(_Reader(view).defined_versions())
        except _DamagedError:
            return frozenset()


def is_complete(data: bytes | bytearray | memoryview | mmap) -> bool:
    """Return whether a file has all bytes of its segments.

    It is False for a file that is not ELF or is cut off.
    """
    with memoryview(data) as view:
        try:
            return _Reader(view).is_complete()
        except _DamagedError:
            return False


def _folders(text: str | None) -> tuple[str, ...]:
    return tuple(text.split(":")) if text else ()


class _Reader:
    """Bounds-checked access to one file.

    Every method raises `_DamagedError` for a position outside it.
    """

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._text_left = _MOST_TEXT
        if self._bytes(0, 4) != MAGIC:
            raise _DamagedError
        bits, order, version, kind, self._machine, _, _, offset, _, _, _, size, count, *_ = self._unpack(_HEADER, 0)
        if (bits, order, version) != (2, 1, 1) or kind not in (_EXECUTABLE, _SHARED) or size != _SEGMENT.size:
            raise _DamagedError
        if count > _MOST_SEGMENTS:
            raise _DamagedError
        segments = [self._unpack(_SEGMENT, offset + i * size) for i in range(count)]
        self._loads = [(p[3], p[2], p[5]) for p in segments if p[0] == _LOAD]  # address, offset, size in the file
        self._dynamic = next(((p[2], p[5]) for p in segments if p[0] == _DYNAMIC), None)
        self._interpreter = next(((p[2], p[5]) for p in segments if p[0] == _INTERP), None)

    def file(self, path: str) -> ElfFile | None:
        """Return the facts of the file, or None for a static program."""
        interpreter = self._interpreter_name()
        if self._dynamic is None:
            if interpreter is None:
                return None
            return ElfFile(path=path, machine=self._machine, interpreter=interpreter)
        tags, needed, names = self._linking(*self._dynamic)
        versions = self._version_names(tags[_VERNEED], tags.get(_VERNEEDNUM, 0)) if _VERNEED in tags else ()
        return ElfFile(
            path=path,
            machine=self._machine,
            needed=tuple(self._string(names, offset) for offset in needed),
            soname=self._string(names, tags[_SONAME]) if _SONAME in tags else None,
            interpreter=interpreter,
            glibc=_highest_glibc(self._string(names, offset) for _, offset, _ in versions),
        )

    def run_path(self) -> tuple[str | None, str | None]:
        """Return DT_RPATH and DT_RUNPATH."""
        if self._dynamic is None:
            return None, None
        tags, _, names = self._linking(*self._dynamic)
        old, new = (self._string(names, tags[tag]) if tag in tags else None for tag in (_RPATH, _RUNPATH))
        return old, new

    def needed_versions(self) -> Iterator[tuple[str, str]]:
        """Yield the soname and the version of each DT_VERNEED entry that is not weak."""
        tags, names = self._tags()
        for file, name, flags in self._version_names(tags[_VERNEED], tags.get(_VERNEEDNUM, 0)):
            if not flags & _WEAK:
                yield self._string(names, file), self._string(names, name)

    def defined_versions(self) -> Iterator[str]:
        """Yield the name of each DT_VERDEF entry."""
        tags, names = self._tags()
        address, count = tags[_VERDEF], tags.get(_VERDEFNUM, 0)
        for _ in range(min(count, _MOST_ENTRIES)):
            _, _, _, _, _, first, following = self._unpack_mapped(_VERSION_DEFINITION, address)
            yield self._string(names, self._unpack_mapped(_NAME_STEP, address + first)[0])
            if not following:
                break
            address += following

    def is_complete(self) -> bool:
        """Return whether every PT_LOAD segment ends in the file."""
        return all(offset + size <= len(self._data) for _, offset, size in self._loads)

    def _tags(self) -> tuple[defaultdict[int, int], memoryview]:
        """Return the dynamic entries, 0 for missing ones, and the string table."""
        if self._dynamic is None:
            return defaultdict(int), memoryview(b"")
        tags, _, names = self._linking(*self._dynamic)
        return defaultdict(int, tags), names

    def _linking(self, offset: int, size: int) -> tuple[dict[int, int], list[int], memoryview]:
        """Return the values of the dynamic segment by tag, and its string table.

        The values of DT_NEEDED are separate.
        """
        tags: dict[int, int] = {}
        needed: list[int] = []
        for tag, value in self._entries(offset, size):
            if tag == _NEEDED:
                needed.append(value)
            else:
                tags[tag] = value
        if _STRTAB not in tags or _STRSZ not in tags:
            raise _DamagedError
        return tags, needed, self._mapped(tags[_STRTAB], tags[_STRSZ])

    def _interpreter_name(self) -> str | None:
        if self._interpreter is None:
            return None
        offset, size = self._interpreter
        if size > _LONGEST_NAME:
            raise _DamagedError
        return _text(self._bytes(offset, size).partition(b"\0")[0]) or None

    def _entries(self, offset: int, size: int) -> Iterator[tuple[int, int]]:
        for i in range(min(size // _ENTRY.size, _MOST_ENTRIES)):
            tag, value = self._unpack(_ENTRY, offset + i * _ENTRY.size)
            if tag == _NULL:
                return
            yield tag, value
        raise _DamagedError  # the last entry of the array is DT_NULL

    def _version_names(self, address: int, count: int) -> Iterator[tuple[int, int, int]]:
        """Yield the string offsets of library and name, and the flags, of each version.

        Links only point forward, so they form no cycle.
        """
        left = min(
            _MOST_ENTRIES, len(self._data) // _VERSION_AUX.size
        )  # as many as fit, since those of real files do not overlap
        for _ in range(count):
            _, auxiliaries, file, first, following = self._unpack_mapped(_VERSION_NEED, address)
            auxiliary = address + first
            for _ in range(auxiliaries):
                left -= 1
                if not left:
                    raise _DamagedError
                _, flags, _, name, step = self._unpack_mapped(_VERSION_AUX, auxiliary)
                yield file, name, flags
                if not step:
                    break
                auxiliary += step
            left -= 1
            if not left:
                raise _DamagedError
            if not following:
                break
            address += following

    def _mapped(self, address: int, size: int) -> memoryview:
        """Return the bytes at a virtual address, as the loader maps the file."""
        for start, offset, length in self._loads:
            if start <= address and address + size <= start + length:
                where = offset + address - start
                if where + size > len(self._data):
                    break
                return self._data[where : where + size]
        raise _DamagedError

    def _unpack_mapped(self, layout: struct.Struct, address: int) -> tuple[int, ...]:
        return layout.unpack(self._mapped(address, layout.size))

    def _unpack(self, layout: struct.Struct, offset: int) -> tuple[int, ...]:
        return layout.unpack(self._bytes(offset, layout.size))

    def _bytes(self, offset: int, size: int) -> bytes:
        if offset + size > len(self._data):
            raise _DamagedError
        return bytes(self._data[offset : offset + size])

    def _string(self, table: memoryview, offset: int) -> str:
        """Return one string of a string table, without its NUL."""
        name, end, _ = bytes(table[offset : offset + _LONGEST_NAME]).partition(b"\0")
        self._text_left -= len(name)
        if not end or self._text_left < 0:
            raise _DamagedError
        return _text(name)


def _text(name: bytes) -> str:
    """Decode a name.

    Real names have no control characters, and a line break must not get into a Nix comment.
    """
    try:
        text = name.decode()
    except UnicodeDecodeError:
        raise _DamagedError from None
    if not text.isprintable():
        raise _DamagedError
    return text


def _highest_glibc(versions: Iterator[str]) -> tuple[int, ...] | None:
    found = (_GLIBC_VERSION.fullmatch(version) for version in versions)
    return max((tuple(map(int, match[1].split("."))) for match in found if match), default=None)
