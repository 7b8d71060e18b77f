"""Addresses of ELF files: pages, neighbours, overlaps and gaps, as a loader maps them."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import elfbuild
from nixpy.needs.elf import UnreadableError, defined_versions, needed_versions, read, run_path
from nixpy.needs.elf_memory import Memory, Segment

PAGE = 4096
FILE = b"".join(bytes([page]) * PAGE for page in range(1, 7))  # the value of each byte is the number of its page
ADDRESS = 0x400000


def load(page: int, address: int, size: int, memory: int | None = None, skip: int = 0) -> Segment:
    """A segment at byte `skip` of a page of FILE, and of the page at this address."""
    return Segment(PAGE * (page - 1) + skip, ADDRESS + address + skip, size, size if memory is None else memory)


def mapped(segments: Iterable[Segment], address: int = 0, most: int = 4 * PAGE) -> list[tuple[int, int]]:
    """What is read from an address on: each value with the number of bytes that follow each other."""
    found: list[tuple[int, int]] = []
    for byte in Memory(memoryview(FILE), segments).read(ADDRESS + address, most):
        found[-1:] = [(byte, found[-1][1] + 1)] if found and found[-1][0] == byte else [*found[-1:], (byte, 1)]
    return found


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        pytest.param([load(1, 0, 100)], [(1, PAGE)], id="to the end of the page"),
        pytest.param([load(1, 0, 100, skip=50)], [(1, PAGE)], id="from the start of the page"),
        pytest.param([load(1, 0, 100), load(3, PAGE, 9)], [(1, PAGE), (3, PAGE)], id="next page"),
        pytest.param([load(1, 0, 100), load(2, PAGE, 9)], [(1, PAGE), (2, PAGE)], id="next page of the file"),
        pytest.param([load(1, 0, 100), load(3, 2 * PAGE, 9)], [(1, PAGE)], id="gap"),
        pytest.param([load(1, 0, 100), load(3, 0, 9, skip=200)], [(3, PAGE)], id="same page: the later one wins"),
        pytest.param([load(1, 0, 3 * PAGE), load(5, PAGE, 9)], [(1, PAGE), (5, PAGE), (3, PAGE)], id="inside another"),
        pytest.param([load(5, PAGE, 9), load(1, 0, 9)], [(1, PAGE), (5, PAGE)], id="not in order"),
        pytest.param([load(5, PAGE, 9), load(1, 0, 3 * PAGE)], [(1, PAGE), (2, PAGE), (3, PAGE)], id="covered"),
        pytest.param([load(1, 0, 10, 20)], [(1, 10), (0, PAGE - 10)], id="zeros to the end of the page"),
        pytest.param([load(1, 0, 10, PAGE + 1)], [(1, 10), (0, 2 * PAGE - 10)], id="zeros on the next page"),
        pytest.param([load(1, 0, 10, 2 * PAGE), load(2, PAGE, 9)], [(1, 10), (0, PAGE - 10), (2, PAGE)], id="no zeros"),
        pytest.param([load(6, 0, 2 * PAGE)], [(6, PAGE)], id="end of the file"),
        pytest.param([load(7, 0, 100)], [], id="beyond the end of the file"),
        pytest.param([Segment(8, ADDRESS, 100, 100)], [], id="offset that mmap refuses"),
        pytest.param([load(1, 0, 0)], [], id="empty"),
        pytest.param([load(1, 0, 1 << 62, 1 << 63)], [(page, PAGE) for page in range(1, 5)], id="endless"),
    ],
)
def test_pages(segments: Sequence[Segment], expected: list[tuple[int, int]]) -> None:
    """Whole pages are mapped, the later segment wins, and memory beyond the file size is zero."""
    assert mapped(segments) == expected
    size = sum(number for _, number in expected)
    memory = Memory(memoryview(FILE), segments)
    assert all(memory.covers(ADDRESS, number) for number in range(0, size + 1, 512))
    assert size == 4 * PAGE or not memory.covers(ADDRESS, size + 1)


@given(
    st.lists(
        st.tuples(st.integers(0, 7), st.integers(0, 5), st.integers(0, PAGE - 1), *[st.integers(0, 3 * PAGE)] * 2),
        max_size=6,
    )
)
def test_pages_are_those_that_mmap_gives(rows: list[tuple[int, int, int, int, int]]) -> None:
    """Segments written one after the other into an anonymous mapping, as glibc does it, read the same."""
    size = 16 * PAGE
    memory, there = bytearray(size), bytearray(size)
    segments = []
    for at, page, skip, file_size, more in rows:
        segment = Segment(PAGE * page + skip, PAGE * at + skip, file_size, file_size + more)
        segments.append(segment)
        start, data_end = PAGE * at, segment.address + file_size
        length = -(-data_end // PAGE) * PAGE - start  # mmap of whole pages
        part = FILE[PAGE * page :][:length]
        memory[start : start + length] = part.ljust(length, b"\0")
        there[start : start + length] = bytes([1] * len(part)).ljust(length, b"\0")
        if more:  # memset, then an anonymous mapping
            length = -(-(data_end + more) // PAGE) * PAGE - data_end
            memory[data_end : data_end + length] = bytes(length)
            there[data_end : data_end + length] = bytes([1] * length)
    found = Memory(memoryview(FILE), segments)
    for address in range(0, size, 2048):
        end = there.find(0, address)
        assert found.read(address, size) == memory[address : end if end >= 0 else size]


# --- whole files ---


def rewritten(gap: int = 0, **pieces: bytes) -> bytes:
    """A program of three pages as patchelf 0.17.2 leaves it: tables cross from one PT_LOAD into the next.

    The first page has the dynamic segment at its end, and half of the string table. The third page, mapped next to it,
    has the rest. `gap` pages lie between the two.
    """
    strings = b"\0libz.so.1\0/a folder\0libc.so.6\0GLIBC_2.9\0"
    half = 12
    needs = elfbuild.version_needs([(strings.index(b"libc"), [strings.index(b"GLIBC")])])
    second = ADDRESS + PAGE * (1 + gap)
    table = ADDRESS + PAGE - half
    versions = second + len(strings) - half
    values = [(1, 1), (1, strings.index(b"libc")), (29, strings.index(b"/a")), (5, table), (10, len(strings))]
    values += [(0x6FFFFFFE, versions), (0x6FFFFFFF, 1), (0, 0)]
    dynamic = b"".join(struct.pack("<qQ", *value) for value in values)
    path = b"/lib64/ld-linux-x86-64.so.2\0"
    start = PAGE - half - len(dynamic)
    rows = [
        (3, 400, ADDRESS + 400, len(path)),
        (1, 0, ADDRESS, start + 40),  # its last entry of the file is within the dynamic segment
        (2, start, ADDRESS + start, len(dynamic)),
        (1, 2 * PAGE, second, 8),
    ]
    header = b"\x7fELF\2\1\1" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, ADDRESS, 64, 0, 0, 64, 56, len(rows), 64, 0, 0)
    for kind, offset, address, size in rows:
        header += struct.pack("<IIQQQQQQ", kind, 4, offset, address, address, size, size, PAGE)
    first = header + bytes(400 - len(header)) + path
    first += bytes(start - len(first)) + dynamic + strings[:half]
    return first + bytes(PAGE) + (strings[half:] + needs).ljust(PAGE, b"\0")


def test_tables_that_cross_segments() -> None:
    """The names, the run path and the versions of a rewritten program are read across its segments."""
    data = rewritten()
    found = read(data, "tool")
    assert found
    assert (found.needed, found.glibc) == (("libz.so.1", "libc.so.6"), (2, 9))
    assert found.interpreter == "/lib64/ld-linux-x86-64.so.2"
    assert run_path(data) == ((), ("/a folder",))
    assert needed_versions(data) == (("libc.so.6", "GLIBC_2.9"),)
    assert defined_versions(data) == frozenset()


def test_tables_that_cross_a_gap() -> None:
    """Bytes between segments that are not mapped are not read: the loader would stop with a fault."""
    with pytest.raises(UnreadableError):
        read(rewritten(gap=1), "tool")
    assert run_path(rewritten(gap=1)) == ((), ())


def test_many_overlapping_segments_take_no_time() -> None:
    """The most segments that nixpy reads, each across all others, and names in every one."""
    segments = [load(1, PAGE * (i % 200), PAGE * 5, PAGE * 300) for i in range(256)]
    memory = Memory(memoryview(FILE), segments)
    assert len(memory.read(ADDRESS, 1 << 20)) == 1 << 20


SECTIONS: Mapping[str, list[tuple[int, int]]] = {
    "debug": [(0, 0), (7, 2), (8, 2), (8, 6), (1, 0)],
    "library": [(0, 0), (7, 2), (1, 2), (8, 6), (1, 0)],
    "none": [],
}


@pytest.mark.parametrize("name", SECTIONS)
def test_debug_file_by_its_sections(name: str, tmp_path: Path) -> None:
    """A file whose mapped sections have no contents is a detached debug file; any other unreadable one is reported."""
    data = bytearray(elfbuild.elf(needed=["libz.so.1"], override={elfbuild.STRTAB: 1}))
    struct.pack_into("<Q", data, 0x28, len(data))
    struct.pack_into("<HH", data, 0x3A, 64, len(SECTIONS[name]))
    for kind, flags in SECTIONS[name]:
        data += struct.pack("<IIQQQQIIQQ", 0, kind, flags, 0, 0, 0, 0, 0, 0, 0)
    path = tmp_path / "file"
    path.write_bytes(data)
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view:
        if name == "debug":
            assert read(view, "x") is None
        else:
            with pytest.raises(UnreadableError):
                read(view, "x")
