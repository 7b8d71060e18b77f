"""Read the linking facts of one ELF file from a buffer, with `struct` only.

Source: the System V gABI, chapters 4 (object files) and 5 (program loading and dynamic linking), and the LSB
on symbol versions for DT_VERNEED. Only what a program loader reads counts, the program headers and the
dynamic segment at its address (`elf_memory`); tools strip and rewrite sections freely. nixpy looks at the
sections only to distinguish a detached debug file from a damaged file.
"""

from __future__ import annotations

import re
import struct
from collections import defaultdict
from collections.abc import Iterator
from mmap import mmap

from nixpy.needs.elf_header import HEADER_SIZE, MAGIC, Header, is_debug_file, read_header
from nixpy.needs.elf_memory import Memory, Segment
from nixpy.needs.model import ElfFile

__all__ = [
    "HEADER_SIZE",
    "MAGIC",
    "UnreadableError",
    "defined_versions",
    "is_complete",
    "needed_versions",
    "read",
    "run_path",
]

_LOAD, _DYNAMIC, _INTERP = 1, 2, 3  # p_type
_NULL, _NEEDED, _STRTAB, _STRSZ, _SONAME = 0, 1, 5, 10, 14  # d_tag
_RPATH, _RUNPATH = 15, 29
_VERDEF, _VERDEFNUM, _VERNEED, _VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
_WEAK = 2  # vna_flags: VER_FLG_WEAK
_MACHINES = (62, 183)  # e_machine of the systems that nixpy supports: x86-64, AArch64

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


class UnreadableError(Exception):
    """A loader links the file, and nixpy cannot read what it links to."""


class _DamagedError(Exception):
    """Something in the file contradicts the specification."""


def read(data: bytes | bytearray | memoryview | mmap, path: str) -> ElfFile | None:
    """Return the linking facts of the ELF file in `data`; `path` is only recorded.

    Returns None for every file that a 64-bit little-endian loader does not link at run time: other formats, 32-bit and
    big-endian files, object and core files, static programs (no PT_DYNAMIC, no PT_INTERP) and detached debug files
    (their dynamic segment and sections have no contents). It also returns None for a damaged file of another machine
    than x86-64 and AArch64.

    A static position-independent program has a dynamic segment, so it is returned, without needs and interpreter.
    `interpreter` is None if PT_INTERP is absent or empty before its first NUL.

    Raises:
        UnreadableError: The file is for a loader, and a part that nixpy reads contradicts the specification or has
            names with control characters. No bytes raise another exception.
    """
    with memoryview(data) as view:
        header = read_header(view)
        if header is None:
            return None
        try:
            return _Reader(view, header).file(path)
        except _DamagedError:
            if header.machine not in _MACHINES or is_debug_file(view, header):
                return None
            raise UnreadableError(path) from None


def run_path(data: bytes | bytearray | memoryview | mmap) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the folders of DT_RPATH and of DT_RUNPATH, as they are written.

    The result is empty if `read` has no facts.

    DT_RPATH is empty if there is a DT_RUNPATH, since the loader ignores it then (gABI, chapter 5).
    """
    with memoryview(data) as view:
        try:
            old, new = _reader(view).run_path()
        except _DamagedError:
            return (), ()
    return () if new is not None else _folders(old), _folders(new)


def needed_versions(data: bytes | bytearray | memoryview | mmap) -> tuple[tuple[str, str], ...]:
    """Return the symbol versions that a file needs.

    Each follows the soname of its library. Source: the LSB on DT_VERNEED. The loader refuses a file if the library
    defines versions and lacks one of these. Weak ones are left out, since the loader accepts that they are missing. The
    result is empty if `read` has no facts.

    Example: `(("libc.so.6", "GLIBC_2.34"), ("libstdc++.so.6", "GLIBCXX_3.4.29"))`.
    """
    with memoryview(data) as view:
        try:
            return tuple(_reader(view).needed_versions())
        except _DamagedError:
            return ()


def defined_versions(data: bytes | bytearray | memoryview | mmap) -> frozenset[str]:
    """Return the symbol versions that a library defines (DT_VERDEF).

    The result is empty for a library without versions, from which the loader accepts every version, and if `read`
    has no facts.
    """
    with memoryview(data) as view:
        try:
            return frozenset(_reader(view).defined_versions())
        except _DamagedError:
            return frozenset()


def is_complete(data: bytes | bytearray | memoryview | mmap) -> bool:
    """Return whether a file has all bytes of its segments.

    It is False for a file that is not ELF or is cut off.
    """
    with memoryview(data) as view:
        try:
            return _reader(view).is_complete()
        except _DamagedError:
            return False


def _folders(text: str | None) -> tuple[str, ...]:
    return tuple(text.split(":")) if text else ()


def _reader(data: memoryview) -> _Reader:
    header = read_header(data)
    if header is None:
        raise _DamagedError
    return _Reader(data, header)


class _Reader:
    """Bounds-checked access to one file.

    Every method raises `_DamagedError` for a position outside it.
    """

    def __init__(self, data: memoryview, header: Header) -> None:
        self._data = data
        self._text_left = _MOST_TEXT
        self._machine = header.machine
        size, count = header.segment_size, header.segment_count
        if size != _SEGMENT.size or count > _MOST_SEGMENTS:
            raise _DamagedError
        segments = [self._unpack(_SEGMENT, header.segments + i * size) for i in range(count)]
        self._loads = [Segment(p[2], p[3], p[5], p[6]) for p in segments if p[0] == _LOAD]
        self._memory = Memory(data, self._loads)
        # Like glibc, nixpy takes a dynamic segment without contents for that of a debug file.
        self._dynamic = next(((p[3], p[5]) for p in segments if p[0] == _DYNAMIC and p[5]), None)  # address, size
        self._interpreter = next(((p[2], p[5]) for p in segments if p[0] == _INTERP), None)  # offset, size

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
        return all(load.offset + load.file_size <= len(self._data) for load in self._loads)

    def _tags(self) -> tuple[defaultdict[int, int], range]:
        """Return the dynamic entries, 0 for missing ones, and the string table."""
        if self._dynamic is None:
            return defaultdict(int), range(0)
        tags, _, names = self._linking(*self._dynamic)
        return defaultdict(int, tags), names

    def _linking(self, address: int, size: int) -> tuple[dict[int, int], list[int], range]:
        """Return the values of the dynamic segment, and where its strings are.

        The values are by tag, those of DT_NEEDED are separate, and the addresses are those of the string table.
        """
        tags: dict[int, int] = {}
        needed: list[int] = []
        for tag, value in self._entries(address, size):
            if tag == _NEEDED:
                needed.append(value)
            else:
                tags[tag] = value
        if _STRTAB not in tags or _STRSZ not in tags:
            raise _DamagedError
        if not self._memory.covers(tags[_STRTAB], tags[_STRSZ]):
            raise _DamagedError
        return tags, needed, range(tags[_STRTAB], tags[_STRTAB] + tags[_STRSZ])

    def _interpreter_name(self) -> str | None:
        if self._interpreter is None:
            return None
        offset, size = self._interpreter
        if size > _LONGEST_NAME:
            raise _DamagedError
        return _text(self._bytes(offset, size).partition(b"\0")[0]) or None

    def _entries(self, address: int, size: int) -> Iterator[tuple[int, int]]:
        for i in range(min(size // _ENTRY.size, _MOST_ENTRIES)):
            tag, value = self._unpack_mapped(_ENTRY, address + i * _ENTRY.size)
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

    def _unpack_mapped(self, layout: struct.Struct, address: int) -> tuple[int, ...]:
        found = self._memory.read(address, layout.size)
        if len(found) < layout.size:
            raise _DamagedError
        return layout.unpack(found)

    def _unpack(self, layout: struct.Struct, offset: int) -> tuple[int, ...]:
        return layout.unpack(self._bytes(offset, layout.size))

    def _bytes(self, offset: int, size: int) -> bytes:
        if offset + size > len(self._data):
            raise _DamagedError
        return bytes(self._data[offset : offset + size])

    def _string(self, table: range, offset: int) -> str:
        """Return one string of a string table, without its NUL."""
        most = min(table.stop - table.start - offset, _LONGEST_NAME)
        name, end, _ = self._memory.read(table.start + offset, max(most, 0)).partition(b"\0")
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
