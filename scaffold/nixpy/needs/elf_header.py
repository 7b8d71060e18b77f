"""Read the header of an ELF file, and recognise detached debug files."""

from __future__ import annotations

import struct
from typing import NamedTuple

MAGIC = b"\x7fELF"
HEADER_SIZE = 64  # bytes of an ELF64 header; a smaller file is not ELF

_EXECUTABLE, _SHARED = 2, 3  # e_type
_NOTE, _NOBITS = 7, 8  # sh_type
_ALLOC = 2  # sh_flags: SHF_ALLOC
_MOST_SECTIONS = 1 << 14

_HEADER = struct.Struct("<4xBBB9xHHIQQQIHHHHHH")
_SECTION = struct.Struct("<4xIQ48x")


class Header(NamedTuple):
    """The fields of the ELF header that nixpy uses."""

    machine: int  # e_machine
    segments: int  # e_phoff
    sections: int  # e_shoff
    segment_size: int  # e_phentsize
    segment_count: int  # e_phnum
    section_size: int  # e_shentsize
    section_count: int  # e_shnum


def read_header(data: memoryview) -> Header | None:
    """Return the header of a program or library with segments, or None.

    It is None for a file that is not 64-bit and little-endian.
    """
    if len(data) < HEADER_SIZE or data[:4] != MAGIC:
        return None
    bits, order, version, kind, machine, _, _, segments, sections, _, _, *sizes = _HEADER.unpack_from(data)
    if (bits, order, version) != (2, 1, 1) or kind not in (_EXECUTABLE, _SHARED) or not sizes[1]:
        return None
    return Header(machine, segments, sections, *sizes[:4])


def is_debug_file(data: memoryview, header: Header) -> bool:
    """Return whether the sections that a loader maps have no contents, except notes.

    objcopy --only-keep-debug and eu-strip leave such files. Some keep the program headers of the whole file.
    """
    end = header.sections + header.section_count * _SECTION.size
    if header.section_size != _SECTION.size or header.section_count > _MOST_SECTIONS or end > len(data):
        return False
    mapped = {kind for kind, flags in _SECTION.iter_unpack(data[header.sections : end]) if flags & _ALLOC}
    return _NOBITS in mapped and mapped <= {_NOBITS, _NOTE}
