"""Read the notes, the constants and the imports of an ELF file.

Source: the System V gABI, chapters 4 (symbol table) and 5 (program header, note section, dynamic section, hash table);
elf/dl-lookup.c of glibc for the GNU hash table. Sections are never looked at, since tools strip and rewrite them.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from nixpy.needs.elf_header import read_header

_LOAD, _DYNAMIC, _NOTE = 1, 2, 4  # p_type
_WRITABLE = 2  # p_flags: PF_W
_NULL, _HASH, _STRTAB, _SYMTAB, _STRSZ, _GNU_HASH = 0, 4, 5, 6, 10, 0x6FFFFEF5  # d_tag
_UNDEFINED = 0  # st_shndx: SHN_UNDEF

_SEGMENT = struct.Struct("<IIQQQQQQ")
_ENTRY = struct.Struct("<qQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_NOTE_HEADER = struct.Struct("<III")
_WORDS = struct.Struct("<II")

# Far more than any linker writes. Without these limits, reading a hostile file may take minutes.
_MOST_SEGMENTS = 256
_MOST_ENTRIES = 1 << 14
_MOST_SYMBOLS = 1 << 20
_LONGEST_PREFIX = 200  # bytes of a symbol before the part that is looked for
_MOST_NOTES = 1 << 12


@dataclass(frozen=True, slots=True)
class Segment:
    """The fields of a program header."""

    kind: int  # p_type
    flags: int  # p_flags
    offset: int
    address: int
    size: int  # in the file
    align: int


class Contents:
    """The parts of one 64-bit little-endian ELF file.

    A part that contradicts the specification is empty. No method raises, whatever the bytes.
    """

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._segments = tuple(self._read_segments())
        self._tags = self._read_tags()

    def notes(self, owner: bytes, kind: int) -> Iterator[bytes]:
        """Yield the descriptor of each note of an owner and a type; `owner` has no NUL."""
        left = _MOST_NOTES
        for segment in self._segments:
            if segment.kind != _NOTE:
                continue
            step = 8 if segment.align == 8 else 4
            place, end = segment.offset, min(segment.offset + segment.size, len(self._data))
            while left and place + _NOTE_HEADER.size <= end:
                left -= 1
                name_size, size, found = _NOTE_HEADER.unpack_from(self._data, place)
                name = place + _NOTE_HEADER.size
                start = name + name_size
                start += -(start - segment.offset) % step
                if start + size > end:
                    break
                if found == kind and bytes(self._data[name : name + min(name_size, 16)]) == owner + b"\0":
                    yield bytes(self._data[start : start + size])
                place = start + size
                place += -(place - segment.offset) % step

    def constants(self) -> Iterator[memoryview]:
        """Yield the bytes that no code can change.

        The names of symbols and libraries are left out.
        """
        names = self._file_range(self._tags.get(_STRTAB, 0), self._tags.get(_STRSZ, 0))
        found = [(s.offset, s.offset + s.size) for s in self._segments if s.kind == _LOAD and not s.flags & _WRITABLE]
        for start, end in _without(_union(found), names):
            yield self._data[start:end]

    def imports(self, names: Iterable[bytes]) -> bool:
        """Return whether the file imports one of these symbols."""
        # A linker stores a name also as the end of a longer one.
        return self._imports(place for name in names for place in self._places(re.escape(name) + rb"\0"))

    def imports_with(self, part: bytes) -> bool:
        """Return whether the file imports a symbol with this part in its name."""
        table = self._names()
        before = ((place, bytes(table[max(place - _LONGEST_PREFIX, 0) : place])) for place in self._places(part))
        return self._imports(place - len(text) + text.rfind(b"\0") + 1 for place, text in before)

    def _imports(self, places: Iterable[int]) -> bool:
        """Return whether a name that the file imports begins at one of these places."""
        wanted = {*places}
        return bool(wanted) and any(name in wanted and not index for name, index in self._symbols())

    def _places(self, pattern: bytes) -> Iterator[int]:
        """Yield where a pattern is in the names of symbols."""
        return (match.start() for match in re.finditer(pattern, self._names()))

    def _names(self) -> memoryview:
        return self._data[slice(*self._file_range(self._tags.get(_STRTAB, 0), self._tags.get(_STRSZ, 0)))]

    def _symbols(self) -> Iterator[tuple[int, int]]:
        """Yield st_name and st_shndx of the symbols before the first hashed one.

        Symbols that the file imports are in no GNU hash table, and come first (dl-lookup.c).
        """
        count = min(self._symbol_count(), _MOST_SYMBOLS)
        start, end = self._file_range(self._tags.get(_SYMTAB, 0), count * _SYMBOL.size)
        for name, _, _, index, _, _ in _SYMBOL.iter_unpack(self._data[start : end - (end - start) % _SYMBOL.size]):
            yield name, index

    def _symbol_count(self) -> int:
        """Return the number of symbols, or of those before the first hashed one."""
        for tag in (_GNU_HASH, _HASH):
            start, end = self._file_range(self._tags.get(tag, 0), _WORDS.size)
            count = _WORDS.unpack_from(self._data, start)[1] if end - start == _WORDS.size else 0
            if count > 1:  # GNU ld writes 1 for a file that defines no symbols
                return count
        return max(self._tags.get(_STRTAB, 0) - self._tags.get(_SYMTAB, 0), 0) // _SYMBOL.size

    def _read_segments(self) -> Iterator[Segment]:
        header = read_header(self._data)
        if header is None or header.segment_size != _SEGMENT.size or header.segment_count > _MOST_SEGMENTS:
            return
        place = header.segments
        for _ in range(header.segment_count):
            if place + _SEGMENT.size > len(self._data):
                return
            kind, flags, offset, address, _, length, _, align = _SEGMENT.unpack_from(self._data, place)
            yield Segment(kind, flags, offset, address, length, align)
            place += _SEGMENT.size

    def _read_tags(self) -> Mapping[int, int]:
        tags: dict[int, int] = {}
        dynamic = next((segment for segment in self._segments if segment.kind == _DYNAMIC), None)
        if dynamic:
            end = min(dynamic.offset + dynamic.size, len(self._data))
            for place in range(dynamic.offset, end - _ENTRY.size + 1, _ENTRY.size)[:_MOST_ENTRIES]:
                tag, value = _ENTRY.unpack_from(self._data, place)
                if tag == _NULL:
                    break
                tags[tag] = value
        return tags

    def _file_range(self, address: int, size: int) -> tuple[int, int]:
        """Return start and end in the file of the bytes at an address.

        The range is shorter if fewer are there.
        """
        for segment in self._segments:
            if segment.kind == _LOAD and segment.address <= address < segment.address + segment.size:
                start = segment.offset + address - segment.address
                return start, min(start + size, segment.offset + segment.size, len(self._data))
        return 0, 0


def _union(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield ranges that cover the same numbers, sorted and without overlaps."""
    last = 0
    for start, end in sorted(ranges):
        if end > last:
            yield max(start, last), end
            last = end


def _without(ranges: Iterable[tuple[int, int]], hole: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Yield the parts of the ranges before and after `hole`."""
    first, last = hole
    for start, end in ranges:
        yield start, min(end, first) if first < last else end
        if first < last:
            yield max(start, last), end
