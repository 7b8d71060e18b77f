"""Resolve the addresses of an ELF file as the kernel and glibc map its segments.

Source: the System V gABI, chapter 5 (program loading); fs/binfmt_elf.c of Linux; elf/dl-map-segments.h of glibc. A
loader maps whole pages, so bytes of the file before and after a segment are readable, too. Of two segments in one page,
the later one wins. Memory of a segment beyond its file size is zero. Data may cross from one segment into the next: the
string table does in programs that patchelf 0.17.2 wrote.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import NamedTuple

# The smallest page of x86-64 and AArch64. A file for larger pages can be mapped with these as well, and the kernel maps
# pages of its own size, whatever p_align says.
_PAGE = 4096


class Segment(NamedTuple):
    """The fields of a program header that say what is mapped, and where."""

    offset: int  # p_offset
    address: int  # p_vaddr
    file_size: int  # p_filesz
    memory_size: int  # p_memsz


class _Piece(NamedTuple):
    """Mapped memory from `start` to before `end`."""

    start: int
    end: int
    shift: int | None  # the offset in the file, less the address; None: zeros


class Memory:
    """The memory of a file after its segments are mapped in their order.

    Bytes beyond the end of the file are never mapped.
    """

    def __init__(self, data: memoryview, segments: Iterable[Segment]) -> None:
        self._data = data
        self._pieces: list[_Piece] = []  # sorted, and without overlaps
        for segment in segments:
            self._map(segment)
        self._pieces = _joined(self._pieces)
        self._starts = [piece.start for piece in self._pieces]

    def read(self, address: int, most: int) -> bytes:
        """Return the mapped bytes from an address on, up to the first gap, at most `most`."""
        index = bisect_right(self._starts, address) - 1
        if index >= 0:
            _, end, shift = self._pieces[index]
            if shift is not None and address + most <= end:
                return bytes(self._data[address + shift : address + shift + most])
        found = b""
        for piece in self._from(address):
            if len(found) == most:
                break
            here = address + len(found)
            size = min(most - len(found), piece.end - here)
            where = None if piece.shift is None else here + piece.shift
            found += bytes(size) if where is None else bytes(self._data[where : where + size])
        return found

    def covers(self, address: int, size: int) -> bool:
        """Return whether all of these bytes are mapped."""
        end = address + size
        return size == 0 or any(piece.end >= end for piece in self._from(address))

    def _from(self, address: int) -> Iterable[_Piece]:
        """Yield the piece with an address, and those that follow it without a gap."""
        for index in range(max(bisect_right(self._starts, address) - 1, 0), len(self._pieces)):
            piece = self._pieces[index]
            if not piece.start <= address < piece.end:
                return
            yield piece
            address = piece.end

    def _map(self, segment: Segment) -> None:
        shift = segment.offset - segment.address
        if shift % _PAGE:
            return  # mmap refuses it
        start = segment.address - segment.address % _PAGE
        end = segment.address + segment.file_size
        memory_end = segment.address + segment.memory_size
        # The kernel zeroes the rest of the last page only if the segment has more memory than bytes in the file.
        if memory_end <= end:
            end += -end % _PAGE
        self._put(_Piece(start, end, shift))
        self._put(_Piece(end, memory_end + -memory_end % _PAGE, None))

    def _put(self, new: _Piece) -> None:
        """Add a piece, which replaces all that is mapped there.

        Bytes beyond the end of the file are left out.
        """
        if new.start >= new.end:
            return
        first = bisect_right(self._pieces, new.start, key=lambda piece: piece.end)
        last = bisect_left(self._pieces, new.end, key=lambda piece: piece.start)
        covered = self._pieces[first:last]
        left = [piece._replace(end=new.start) for piece in covered[:1] if piece.start < new.start]
        right = [piece._replace(start=new.end) for piece in covered[-1:] if piece.end > new.end]
        end = new.end if new.shift is None else min(new.end, len(self._data) - new.shift)
        middle = [new._replace(end=end)] if new.start < end else []
        self._pieces[first:last] = [*left, *middle, *right]


def _joined(pieces: list[_Piece]) -> list[_Piece]:
    """Return the pieces, with neighbours in memory and in the file as one."""
    found: list[_Piece] = []
    for piece in pieces:
        if found and (found[-1].end, found[-1].shift) == (piece.start, piece.shift):
            found[-1] = found[-1]._replace(end=piece.end)
        else:
            found.append(piece)
    return found
