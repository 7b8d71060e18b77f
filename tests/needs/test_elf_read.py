"""The ELF reader against gcc, readelf and pyelftools, against hand-made files, and against damage."""

from __future__ import annotations

import mmap
import random
import struct
import subprocess
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import elfbuild
from corpus.corpus import Linking, by_pyelftools, by_readelf
from elfbuild import elf
from nixpy.needs.elf import UnreadableError, read
from nixpy.needs.model import ElfFile

LOADER = b"/lib64/ld-linux-x86-64.so.2\0"
FULL = elf(
    needed=["libz.so.1", "libc.so.6"],
    soname="libfull.so.1",
    interpreter=LOADER,
    versions={"libc.so.6": ["GLIBC_2.2.5", "GLIBC_2.14", "GLIBC_PRIVATE"], "libz.so.1": ["ZLIB_1.2.9"]},
)


def answer(data: Any) -> ElfFile | str | None:
    """What `read` gives for a file `x`: facts, None, or the name of the exception."""
    try:
        return read(data, "x")
    except UnreadableError:
        return "unreadable"


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that the system's compiler made."""
    folder = tmp_path_factory.mktemp("compiled")

    def gcc(output: str, source: str, *options: str) -> None:
        Path(folder, "source.c").write_text(source)
        subprocess.run(["gcc", "source.c", "-o", output, "-L.", *options], cwd=folder, check=True)

    function = '#include <stdio.h>\nint f(int n) { return printf("%d", n); }'
    program = "#include <pthread.h>\nint f(int); int main(void) { return f(pthread_self() != 0); }"
    gcc("liblow.so", function, "-shared", "-fPIC", "-Wl,-soname,liblow.so.1")
    gcc("libnoname.so", function, "-shared", "-fPIC")
    gcc(
        "libhigh.so",
        "int f(int); int g(void) { return f(1); }",
        "-shared",
        "-fPIC",
        "-llow",
        "-lm",
        "-Wl,--no-as-needed",
    )
    gcc(
        "mod.abi3.so",
        "int PyInit_mod(void) { return 0; }",
        "-shared",
        "-fPIC",
        "-Wl,--no-as-needed",
        "-llow",
        "-lm",
    )
    gcc("alone.so", "int x;", "-shared", "-fPIC", "-nostdlib")
    gcc(
        "runnable.so",
        f'{function}\nconst char i[] __attribute__((section(".interp"))) = "/ld.so";',
        "-shared",
        "-fPIC",
    )
    gcc("pie", program, "-pie", "-llow", "-Wl,-rpath,/nowhere")
    gcc("nopie", program, "-fno-pie", "-no-pie", "-llow", "-Wl,--hash-style=sysv")
    gcc("static", "int main(void) { return 0; }", "-static")
    gcc("staticpie", "int main(void) { return 0; }", "-static-pie")
    gcc("object.o", function, "-c")
    subprocess.run(["objcopy", "--only-keep-debug", "liblow.so", "liblow.so.debug"], cwd=folder, check=True)
    subprocess.run(["strip", "libhigh.so", "-o", "stripped.so"], cwd=folder, check=True)
    return folder


DYNAMIC = [
    *("liblow.so", "libnoname.so", "libhigh.so", "mod.abi3.so", "alone.so", "runnable.so", "pie", "nopie"),
    *("staticpie", "stripped.so"),
]


@pytest.mark.slow
@pytest.mark.parametrize("name", DYNAMIC)
def test_compiled_files_read_as_other_tools_do(compiled: Path, name: str) -> None:
    """Whatever gcc links, readelf, pyelftools and nixpy tell the same of it."""
    found = read((compiled / name).read_bytes(), name)
    assert found is not None
    ours = Linking(found.needed, found.soname, found.interpreter, found.glibc)
    assert ours == by_readelf({name: compiled / name})[name]
    assert ours == by_pyelftools(compiled / name)


def test_compiled_files_hold_what_the_compiler_was_told(compiled: Path) -> None:
    """The names given on the command line are the ones read: the tools do not just agree on nothing."""
    low, module, pie, runnable = (
        read((compiled / name).read_bytes(), name) for name in ("liblow.so", "mod.abi3.so", "pie", "runnable.so")
    )
    assert low
    assert (low.soname, low.interpreter, low.path) == ("liblow.so.1", None, "liblow.so")
    assert module
    assert module.needed[:2] == ("liblow.so.1", "libm.so.6")
    assert pie
    assert pie.interpreter
    assert pie.soname is None
    assert pie.glibc
    assert runnable
    assert runnable.interpreter == "/ld.so"


@pytest.mark.parametrize("name", ["static", "object.o", "liblow.so.debug", "source.c"])
def test_compiled_files_that_no_loader_links(compiled: Path, name: str) -> None:
    """Static programs, objects, detached debug files and texts are nothing to link."""
    assert read((compiled / name).read_bytes(), name) is None


def test_sections_do_not_matter(compiled: Path) -> None:
    """A file without section table (stripped to the bone) reads as before."""
    data = bytearray((compiled / "mod.abi3.so").read_bytes())
    whole = read(bytes(data), "mod")
    data[0x28:0x30] = bytes(8)  # e_shoff
    data[0x3C:0x40] = bytes(4)  # e_shnum, e_shstrndx
    assert whole is not None
    assert read(data, "mod") == whole


def test_hand_made_file() -> None:
    """Every field comes out as it was put in, and versions compare as numbers: 2.14 is above 2.2.5."""
    assert read(FULL, "a/b.so") == ElfFile(
        path="a/b.so",
        machine=62,
        needed=("libz.so.1", "libc.so.6"),
        soname="libfull.so.1",
        interpreter="/lib64/ld-linux-x86-64.so.2",
        glibc=(2, 14),
    )


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer(kind: type) -> None:
    """Bytes, a bytearray and a memoryview give the same answer."""
    assert read(kind(FULL), "x") == read(FULL, "x")


def test_mapped_file_can_be_closed(tmp_path: Path) -> None:
    """A memory map reads the same and is let go of, also when the file is damaged."""
    path = tmp_path / "x"
    for data in (FULL, FULL[:-1]):
        path.write_bytes(data)
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            assert answer(view) == answer(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x7fELF", id="magic alone"),
        pytest.param(b"/* GNU ld script */ GROUP ( libm.so.6 )" * 9, id="linker script"),
        pytest.param(elf(needed=["libz.so.1"], bits=1), id="32 bit"),
        pytest.param(elf(needed=["libz.so.1"], order=2), id="big endian"),
        pytest.param(elf(needed=["libz.so.1"], kind=1), id="object"),
        pytest.param(elf(needed=["libz.so.1"], kind=4), id="core"),
        pytest.param(elf(dynamic=False), id="static"),
        pytest.param(elf(needed=["libz.so.1"], override={elfbuild.STRTAB: 0}, machine=190), id="damaged GPU code"),
        pytest.param(elf(kind=2, dynamic=False)[:0x38] + bytes(8), id="no segments"),
        pytest.param(FULL[:63], id="less than a header"),
    ],
)
def test_not_linkable(data: bytes) -> None:
    """What a 64-bit little-endian loader would not link at run time is no ELF file to us, and no error."""
    assert read(data, "x") is None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(FULL[:64], id="header alone"),
        pytest.param(FULL[:0x36] + b"\x37" + FULL[0x37:], id="program headers of another size"),
        pytest.param(elf(dynamic=False, interpreter=b"/" * 5000), id="endless interpreter"),
        pytest.param(elf(dynamic=False, interpreter=b"/ld\n.so\0"), id="line break in the interpreter"),
        pytest.param(elf(needed=["libz.so.1"], override={elfbuild.STRTAB: 1 << 63}), id="string table nowhere"),
        pytest.param(elf(needed=["libz.so.1"], override={elfbuild.STRSZ: 1 << 62}), id="string table endless"),
        pytest.param(elf(needed=["libz.so.1"], override={elfbuild.STRSZ: 5}), id="string table cut"),
        pytest.param(elf(needed=["libz.so.1"], override={elfbuild.NEEDED: 1 << 40}), id="name nowhere"),
        pytest.param(elf(needed=["a\nb"]), id="line break in a name"),
        pytest.param(elf(soname="\x1b[31mred"), id="escape sequence in a name"),
        pytest.param(elf(needed=["x" * 5000]), id="endless name"),
        pytest.param(FULL.replace(b"libz.so.1\0", b"lib\xff.so.1\0"), id="name not UTF-8"),
    ],
)
def test_unreadable(data: bytes) -> None:
    """A file for the loader that contradicts the specification, or has names that no linker writes, is an error."""
    assert answer(data) == "unreadable"


@pytest.mark.parametrize("interpreter", [b"", b"\0", b"\0" * 30, b"\0/lib64/ld.so\0"])
def test_empty_interpreter_is_none(interpreter: bytes) -> None:
    """A PT_INTERP that holds no name makes no program, as in the Qt libraries that opencv carries."""
    found = read(elf(soname="libQt5Core.so.5", interpreter=interpreter), "libQt5Core.so.5")
    assert found is not None
    assert found.interpreter is None


def test_interpreter_without_dynamic_segment() -> None:
    """A program that asks for an interpreter is one even without dynamic segment."""
    found = read(elf(kind=2, interpreter=LOADER, dynamic=False), "x")
    assert found == ElfFile(path="x", machine=62, interpreter=LOADER[:-1].decode())


@pytest.mark.parametrize(
    ("versions", "glibc"),
    [
        (["GLIBC_2.9", "GLIBC_2.10"], (2, 10)),
        (["GLIBC_2.2.5", "GLIBC_2.2"], (2, 2, 5)),
        (["GLIBC_PRIVATE", "GLIBC_ABI_DT_RELR"], None),
        (["GLIBCXX_3.4.29", "GCC_3.0"], None),
        (["GLIBC_2.17", "GLIBC_2." + "9" * 4000], (2, 17)),
    ],
)
def test_glibc_floor(versions: list[str], glibc: tuple[int, ...] | None) -> None:
    """The floor is the highest numbered GLIBC version, whatever the order, and nothing else counts."""
    for names in (versions, versions[::-1]):
        found = read(elf(versions={"libc.so.6": names}), "x")
        assert found is not None
        assert found.glibc == glibc


def place(data: bytearray, tag: int) -> int:
    """Return where in a hand-made file the contents lie that a dynamic tag points to."""
    (address,) = struct.unpack_from("<Q", data, data.index(struct.pack("<q", tag)) + 8)
    return int(address) - elfbuild.BASE


def map_all(data: bytearray, size: int) -> None:
    """Let the one PT_LOAD of a hand-made file, its last segment, claim `size` bytes."""
    (count,) = struct.unpack_from("<H", data, 0x38)
    struct.pack_into("<Q", data, elfbuild.HEADER + elfbuild.SEGMENT * (count - 1) + 0x20, size)


def test_tables_beyond_the_end() -> None:
    """A segment that claims more than the file holds does not make bytes of nothing."""
    end = elfbuild.BASE + len(elf(versions={"libc.so.6": ["GLIBC_2.14"]}))
    data = bytearray(elf(versions={"libc.so.6": ["GLIBC_2.14"]}, override={elfbuild.VERNEED: end - 8}))
    map_all(data, 1 << 40)
    assert answer(data) == "unreadable"


def test_dynamic_segment_without_end() -> None:
    """The dynamic array must end with DT_NULL inside its segment."""
    data = bytearray(elf(needed=["libz.so.1"]))
    (size,) = struct.unpack_from("<Q", data, elfbuild.HEADER + 0x20)
    struct.pack_into("<Q", data, elfbuild.HEADER + 0x20, size - 16)
    assert answer(data) == "unreadable"


def test_endless_versions_take_no_time() -> None:
    """Version records that chain on for gigabytes of steps are given up on quickly."""
    data = bytearray(elf(needed=["libc.so.6"], versions={"libc.so.6": ["GLIBC_2.2.5"]}))
    data = data.replace(struct.pack("<qQ", elfbuild.VERNEEDNUM, 1), struct.pack("<qQ", elfbuild.VERNEEDNUM, 1 << 60))
    record = struct.pack("<HHIII", 1, 0xFFFF, 0, 16, 16)  # as Vernaux: the name at 16 is NUL, the next 16 bytes on
    data += bytes(-len(data) % 16) + record * (1 << 18)
    map_all(data, len(data))
    start = place(data, elfbuild.VERNEED)
    tail = (len(data) - 16 * (1 << 18)) - start
    struct.pack_into("<HHIII", data, start, 1, 0xFFFF, 0, tail, tail)
    began = time.monotonic()
    assert answer(data) == "unreadable"
    assert time.monotonic() - began < 5


def test_many_entries_with_one_long_name_take_no_memory() -> None:
    """A file that deflates to 500 bytes may name a string of 4,000 characters 16,000 times."""
    names = ["a" * 4000, *["b"] * 16_000]
    data = bytearray(elf(needed=names))
    start = place(data, elfbuild.STRTAB)
    entry = data.index(struct.pack("<qQ", elfbuild.NEEDED, 1))
    data[entry : entry + 16 * len(names)] = struct.pack("<qQ", elfbuild.NEEDED, 1) * len(names)
    assert data[start + 1 : start + 4001] == b"a" * 4000
    tracemalloc.start()
    try:
        assert answer(data) == "unreadable"
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_endless_segments_take_no_time() -> None:
    """Thousands of segments, each to be searched for every name, are given up on quickly."""
    versions = {"libc.so.6": [f"GLIBC_2.{n}" for n in range(10_000)]}
    data = bytearray(elf(needed=["libc.so.6"], versions=versions))
    assert read(data, "x") is not None
    own = data[elfbuild.HEADER : elfbuild.HEADER + 2 * elfbuild.SEGMENT]
    many = own[: elfbuild.SEGMENT] + elfbuild.segment(elfbuild.LOAD, 0, 0) * 65_000 + own[elfbuild.SEGMENT :]
    struct.pack_into("<Q", data, 0x20, len(data))
    struct.pack_into("<H", data, 0x38, 65_002)
    began = time.monotonic()
    assert answer(data + many) == "unreadable"
    assert time.monotonic() - began < 5


@settings(max_examples=300)
@given(st.integers(0, len(FULL)))
@example(len(FULL) - 1)
@example(64)
def test_truncated_file_tells_all_or_nothing(size: int) -> None:
    """A file cut off anywhere is never half believed, and is reported once it has a header."""
    cut = "unreadable" if size >= 64 else None
    assert answer(FULL[:size]) == (read(FULL, "x") if size == len(FULL) else cut)


@settings(max_examples=500)
@given(st.data())
def test_damaged_file_never_raises(data: st.DataObject) -> None:
    """Flipped bits and overwritten fields give facts in their proper types, None, or the one exception."""
    damaged = bytearray(FULL)
    for _ in range(data.draw(st.integers(1, 4))):
        size = data.draw(st.sampled_from((1, 2, 4, 8)))
        offset = data.draw(st.integers(0, len(FULL) - size))
        extreme = st.sampled_from([0, 1, (1 << 8 * size) - 1, 1 << 8 * size - 1, len(FULL), elfbuild.BASE])
        value = data.draw(extreme | st.integers(0, (1 << 8 * size) - 1))
        damaged[offset : offset + size] = (value % (1 << 8 * size)).to_bytes(size, "little")
    found = answer(damaged)
    assert not isinstance(found, ElfFile) or all(isinstance(name, str) and "\n" not in name for name in found.needed)


@settings(max_examples=200)
@given(st.binary(max_size=600))
def test_noise_never_raises(noise: bytes) -> None:
    """Any bytes after a good header are survived."""
    answer(FULL[:64] + noise)
    answer(noise)


def test_compiled_file_survives_damage(compiled: Path) -> None:
    """A real file, cut at many places and overwritten at every place, gives one of the three answers."""
    data = (compiled / "pie").read_bytes()
    whole = read(data, "x")
    for size in range(0, len(data), 97):
        assert answer(data[:size]) in ("unreadable" if size >= 64 else None, whole)
    noise = random.Random(2026)  # noqa: S311
    for offset in range(0, len(data) - 8, 5):
        damaged = bytearray(data)
        damaged[offset : offset + 8] = noise.randbytes(8)
        answer(damaged)
