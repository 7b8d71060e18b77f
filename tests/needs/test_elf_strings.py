"""What an ELF file opens at run time, from its notes and its strings, and what a hostile file costs."""

from __future__ import annotations

import mmap
import random
import shutil
import struct
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elfopens import GNU_HASH, HASH, dlopen_note, note, opener
from nixpy.needs import elf
from nixpy.needs.elf_strings import read_opens
from nixpy.needs.fingerprints import _STEP
from nixpy.needs.model import RuntimeOpen

X86_64, AARCH64 = 62, 183
GLFW = "Cannot query entry point without a current OpenGL or OpenGL ES context"


def opens(data: bytes) -> list[tuple[str, str, str]]:
    """Return names, evidence and certainty of what a file opens."""
    return [("|".join(one.names), one.evidence, one.certainty) for one in read_opens(data, X86_64, "a.so")]


def possible(data: bytes) -> list[str]:
    """Return the names of a file of which only strings are known."""
    found = opens(data)
    assert {(evidence, certainty) for _, evidence, certainty in found} <= {("strings", "possible")}
    return [name for name, _, _ in found]


def test_strings_of_a_file_that_imports_dlopen() -> None:
    """Strings that are sonames are found, sorted; other strings are not, and glibc's libraries are not."""
    data = opener(
        [
            "libXi.so.6",
            "see libGL.so.1",
            "libX11.so",
            "/usr/lib/libz.so.1",
            "libc.so.6",
            "libm.so.6",
            "lib%s.so",
            "x.so",
        ]
    )
    assert read_opens(data, X86_64, "pkg/a.so") == tuple(
        RuntimeOpen(names=(name,), evidence="strings", certainty="possible", path="pkg/a.so", systems=("x86_64-linux",))
        for name in ("libX11.so", "libXi.so.6")
    )
    assert elf.read(data, "a.so") is not None  # the test builds what the loader links


@pytest.mark.parametrize(("machine", "systems"), [(AARCH64, ("aarch64-linux",)), (40, None)])
def test_system_follows_the_machine(machine: int, systems: tuple[str, ...] | None) -> None:
    """The code of an AArch64 file runs there alone; other machines are not served."""
    found = read_opens(opener(["libz.so.1"], machine=machine), machine, "a.so")
    assert [one.systems for one in found] == ([systems] if systems else [])


@pytest.mark.parametrize("hash_table", [HASH, GNU_HASH, None])
def test_only_files_that_import_dlopen(hash_table: int | None) -> None:
    """A file that does not import dlopen or dlmopen, or defines it, opens nothing."""
    names = ["libz.so.1"]
    assert possible(opener(names, hash_table=hash_table)) == names
    assert possible(opener(names, hash_table=hash_table, imports=["free", "dlmopen"], defines=["init"])) == names
    assert possible(opener(names, hash_table=hash_table, imports=["free"])) == []
    assert possible(opener(names, hash_table=hash_table, imports=["free"], defines=["dlopen"])) == []
    assert possible(opener([*names, "dlopen"], hash_table=hash_table, imports=["free"])) == []
    assert possible(opener(names, hash_table=hash_table, imports=["my_dlopen"], names=["dlopen"])) == []


def test_name_that_is_the_end_of_another_one() -> None:
    """A linker stores `dlopen` as the end of `ma_dlopen`: an import of the first is seen, one of the second is not."""
    data = opener(["libz.so.1"], imports=["ma_dlopen"])
    assert possible(data) == []
    symbol = data.index(struct.pack("<IBBH", 1, 0x12, 0, 0))
    changed = data[:symbol] + struct.pack("<I", 1 + len("ma_")) + data[symbol + 4 :]
    assert possible(changed) == ["libz.so.1"]


def test_names_that_are_linked_or_can_change() -> None:
    """Names of libraries and symbols, and strings that the program can change, are not strings of dlopen."""
    assert possible(opener(names=["libz.so.1"], writable=["libz.so.1"], soname="libown.so.1")) == []


def test_note() -> None:
    """Required and recommended libraries are likely, suggested ones possible; one entry is one library."""
    data = opener(
        notes=[
            note(b"GNU build id", owner=b"GNU\0", kind=3),
            dlopen_note(
                {"soname": ["libudev.so.1", "libudev.so.0"], "feature": "udev", "priority": "recommended"},
                {"soname": ["libdrm.so.2"], "priority": "suggested"},
            ),
            dlopen_note({"soname": ["libX11.so.6"], "priority": "required"}, {"soname": ["libbpf.so.1"]}),
        ],
        imports=[],
    )
    assert opens(data) == [
        ("libX11.so.6", "note", "likely"),
        ("libbpf.so.1", "note", "likely"),
        ("libdrm.so.2", "note", "possible"),
        ("libudev.so.1|libudev.so.0", "note", "likely"),
    ]


def test_note_and_strings_are_one_library() -> None:
    """A library of a note is not repeated for its string, and none of glibc is listed."""
    data = opener(
        ["libudev.so.0", "libz.so.1"],
        notes=[dlopen_note({"soname": ["libudev.so.1", "libudev.so.0"]}, {"soname": ["libm.so.6"]})],
    )
    assert opens(data) == [("libudev.so.1|libudev.so.0", "note", "likely"), ("libz.so.1", "strings", "possible")]


def test_component_makes_a_suggestion_likely() -> None:
    """A library that a note suggests and a component opens for its main work is likely; the names stay."""
    entry = {"soname": ["libGL.so.1", "libOpenGL.so.0"], "priority": "suggested"}
    data = opener(["SDL_VIDEO_DRIVER", "No available video device", "libGL.so.1"], notes=[dlopen_note(entry)])
    assert opens(data) == [("libGL.so.1|libOpenGL.so.0", "strings", "likely")]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[",
        b"null\0",
        b'{"soname": ["libz.so.1"]}\0',
        b'["libz.so.1"]\0',
        b'[{"soname": "libz.so.1"}]\0',
        b'[{"soname": []}]\0',
        b'[{"soname": ["libz.so.1", 1]}]\0',
        b'[{"soname": ["libz.so.1\\n"]}]\0',
        b'[{"soname": ["../libz.so.1"]}]\0',
        b'[{"soname": ["lib\\u001b[31mz.so.1"]}]\0',
        b'[{"soname": ["lib' + b"z" * 9_000 + b'.so.1"]}]\0',
        b"[" * 100_000,
        b'[{"soname": ["libz.so.1"], "x": ' + b"[" * 500 + b"]" * 500 + b"}]\0",
        b'[{"soname": ["libz.so.1"], "x": ' + b"9" * 100_000 + b"}]\0",
        b'[{"soname": ["libz.so.1"]}]\xff\0',
    ],
)
def test_notes_that_break_the_specification(content: bytes) -> None:
    """A damaged or hostile note is skipped, and the next one is read."""
    assert opens(opener(notes=[note(content), dlopen_note({"soname": ["liba.so"]})], imports=[])) == [
        ("liba.so", "note", "likely")
    ]


def test_notes_of_others() -> None:
    """Only the owner FDO has this type of note."""
    content = b'[{"soname": ["libz.so.1"]}]\0'
    for owner, kind in ((b"GNU\0", 0x407C0C0A), (b"FDO\0", 0xCAFE1A7E), (b"FDOX\0", 0x407C0C0A), (b"", 0x407C0C0A)):
        assert opens(opener(notes=[note(content, owner=owner, kind=kind)])) == []


def test_notes_of_eight_bytes() -> None:
    """In a segment with an alignment of eight, the parts of notes are padded to eight bytes."""
    notes = [note(b"x", align=8), note(b'[{"soname": ["libz.so.1"]}]\0', align=8)]
    assert opens(opener(notes=notes, note_align=8)) == [("libz.so.1", "note", "likely")]


def test_component() -> None:
    """The markers of GLFW show it, and what it opens is likely or possible; names that the file lacks are left out."""
    found = opens(opener([GLFW, "libX11.so.6", "libGL.so.1", "libvulkan.so.1", "libother.so.2"]))
    assert found == [
        ("libGL.so.1", "strings", "likely"),
        ("libX11.so.6", "strings", "likely"),
        ("libother.so.2", "strings", "possible"),
        ("libvulkan.so.1", "strings", "possible"),
    ]


def test_component_without_its_display_server() -> None:
    """GLFW without Wayland needs EGL only if the program asks for it; with Wayland, every context does."""
    names = ["libEGL.so.1", "libGLX.so.0"]
    assert ("libEGL.so.1", "strings", "possible") in opens(opener([GLFW, *names]))
    assert ("libEGL.so.1", "strings", "likely") in opens(opener([GLFW, *names, "libwayland-client.so.0"]))


@pytest.mark.parametrize("before", [_STEP - 600 - place for place in (0, 20, 40, 60, 80)])
def test_marker_across_two_steps(before: int) -> None:
    """Constants are searched in steps, and a marker may begin in one and end in the next."""
    data = opener(["x" * before, *["y" * 99] * 6, GLFW, "libX11.so.6"])
    assert opens(data) == [("libX11.so.6", "strings", "likely")]


def test_strings_of_rust() -> None:
    """Strings of Rust have no NUL: those of a component are found, and a short one that became code, by its message."""
    text = "src/platform_impl/linux/x11/mod.rs libX11.so.6libX11.solibXi.so.6XISelectEventsfailed to load libxcb: "
    assert opens(opener([text])) == [
        ("libX11.so.6|libX11.so", "strings", "likely"),
        ("libXi.so.6", "strings", "likely"),
        ("libxcb.so.1", "strings", "likely"),
    ]


@pytest.mark.skipif(not shutil.which("gcc"), reason="no gcc")
def test_file_of_the_compiler(tmp_path: Path) -> None:
    """What gcc links is read as the files of these tests: stripped, and as a mapped file."""
    content = r"[{\"soname\":[\"libudev.so.1\"],\"priority\":\"required\"}]"
    Path(tmp_path, "a.c").write_text(
        f"""
        #include <dlfcn.h>
        struct note {{ unsigned owner, size, kind; char name[4], text[64]; }};
        __attribute__((used, section(".note.dlopen"), aligned(4)))
        static const struct note n = {{ 4, 64, 0x407c0c0a, "FDO", "{content}" }};
        int main(void) {{ return dlopen("libXinerama.so.1", RTLD_LAZY) == 0; }}
        """
    )
    for options in (["-shared", "-fPIC"], ["-pie", "-s", "-Wl,--hash-style=gnu"], ["-no-pie", "-Wl,--hash-style=sysv"]):
        subprocess.run(["gcc", "a.c", "-o", "a", *options, "-ldl"], cwd=tmp_path, check=True)
        with Path(tmp_path, "a").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            assert [(one.names, one.evidence) for one in read_opens(data, X86_64, "a")] == [
                (("libXinerama.so.1",), "strings"),
                (("libudev.so.1",), "note"),
            ]


def quickly(data: bytes, seconds: float = 2.0) -> Sequence[RuntimeOpen]:
    """Return what a file opens, after a check of the time that it takes."""
    start = time.process_time()  # other processes may use the machine
    found = read_opens(data, X86_64, "a.so")
    assert time.process_time() - start < seconds
    return found


def test_many_entries_are_bounded() -> None:
    """A note with a million entries, and a million notes, end soon and with few results."""
    entry = b'{"soname":["liba.so"]}'
    assert quickly(opener(notes=[note(b"[" + (entry + b",") * 1_000_000 + entry + b"]")])) == ()
    some = b"[" + b",".join(b'{"soname":["lib%d.so"]}' % i for i in range(30_000)) + b"]"
    assert len(quickly(opener(notes=[note(some)]))) == 512
    one = note(b"[" + entry + b"]")
    assert len(quickly(opener(notes=[one * 1_000_000]))) == 1


def test_many_strings_are_bounded() -> None:
    """A file of nothing but sonames ends soon and with few results."""
    names = [f"lib{i}.so.{i}" for i in range(100_000)]
    assert len(quickly(opener(names))) == 512
    assert quickly(opener(["lib" + ".so" * 10_000_000])) == ()
    assert quickly(opener(["lib" + "z" * 81 + ".so"])) == ()


def test_segments_over_each_other_are_read_once() -> None:
    """Program headers that map the same bytes 256 times cost as much as one of them."""
    data = opener(["x" * 20_000_000, "libz.so.1"])
    headers = data[64 : 64 + 56 * 4] + data[64 : 64 + 56] * 250
    many = data[:32] + struct.pack("<Q", len(data)) + data[40:56] + struct.pack("<H", 254) + data[58:] + headers
    assert [one.names for one in quickly(many)] == [("libz.so.1",)]


BASE_FILE = opener(
    [GLFW, "libX11.so.6", "libGL.so.1"], notes=[dlopen_note({"soname": ["libz.so.1"]})], defines=["init"]
)


def test_cut_files() -> None:
    """A file that is cut off at any byte is read without an error."""
    for size in range(len(BASE_FILE)):
        read_opens(BASE_FILE[:size], X86_64, "a.so")


@settings(max_examples=400)
@given(st.lists(st.tuples(st.integers(0, len(BASE_FILE) - 1), st.binary(min_size=1, max_size=8)), max_size=6))
def test_damaged_files(changes: list[tuple[int, bytes]]) -> None:
    """Whatever bytes change, the result has only names that can be printed."""
    data = bytearray(BASE_FILE)
    for place, content in changes:
        data[place : place + len(content)] = content
    for one in read_opens(data, X86_64, "a.so"):
        assert all(name.isprintable() and "/" not in name for name in one.names)


def test_random_headers() -> None:
    """Random bytes after the magic end without an error."""
    source = random.Random(1)  # noqa: S311
    for _ in range(300):
        read_opens(BASE_FILE[:20] + source.randbytes(len(BASE_FILE) - 20), X86_64, "a.so")


QLIBRARY = "_ZN8QLibraryC1ERK7QStringS2_P7QObject"
OF_OPENCV = "_ZN14QtOpenCVPython8QLibraryC1ERKNS_7QStringEiPNS_7QObjectE"
TLS = ["qt.tlsbackend.ossl", "OPENSSL_init_ssl", "OPENSSL_init_crypto"]


@pytest.mark.parametrize("constructor", [QLIBRARY, OF_OPENCV])
def test_names_that_qt_composes(constructor: str) -> None:
    """A file that calls QLibrary has no names of libraries, and other strings show what it opens."""
    found = [("libcrypto.so.3", "strings", "likely"), ("libssl.so.3", "strings", "likely")]
    assert opens(opener(TLS, imports=["free", constructor])) == found
    assert opens(opener(TLS[:2], imports=[constructor])) == found[1:]
    assert opens(opener(TLS[1:], imports=[constructor])) == []
    assert opens(opener(TLS, imports=["dlopen"])) == []
    assert opens(opener(TLS, imports=["free"], defines=[constructor])) == []
    assert opens(opener([*TLS, constructor], imports=["free"])) == []


def test_format_of_a_name() -> None:
    """A format shows the libraries that the table has for it."""
    found = opens(opener(["libGLX_%s.so.0", "__GLX_VENDOR_LIBRARY_NAME"]))
    assert found == [("libGLX_mesa.so.0|libGLX_nvidia.so.0", "strings", "likely")]
