"""Which members of a wheel are opened, and what comes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from elfbuild import elf
from elfopens import opener
from nixpy.wheels.archive import Member
from nixpy.wheels.elf_files import inspect, read
from nixpy.wheels.facts import read_facts

LIBRARY = elf(needed=["libz.so.1"])
PROGRAM = elf(needed=["libz.so.1"], interpreter=b"/lib64/ld-linux-x86-64.so.2\0")


class Memory:
    """An Archive that remembers what was asked of it."""

    def __init__(self, files: dict[str, bytes], programs: Iterable[str] = ()) -> None:
        self.files = files
        self.programs = set(programs)
        self.heads: list[str] = []
        self.reads: list[str] = []
        self.calls = 0  # of read

    def members(self) -> Sequence[Member]:
        """Return the files in the order given."""
        return [Member(path, len(data), path in self.programs) for path, data in self.files.items()]

    def head(self, path: str, size: int) -> bytes:
        """Return the first bytes."""
        self.heads.append(path)
        return self.files[path][:size]

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield whole files, the last first: an archive may choose its order."""
        self.calls += 1
        for path in reversed(list(paths)):
            self.reads.append(path)
            yield path, self.files[path]


def test_finds_libraries_scripts_and_programs_sorted() -> None:
    """Libraries by name, scripts by folder and programs by mode are found, sorted by path."""
    files = {
        "z/mod.cpython-312-x86_64-linux-gnu.so": LIBRARY,
        "tool-1.0.data/scripts/tool": PROGRAM,
        "a.libs/libz-0123abcd.so.1.3": LIBRARY,
        "a/bin/node": PROGRAM,
        "a/data.bin": LIBRARY,
    }
    found = inspect(Memory(files, ["a/bin/node"]))
    assert [file.path for file in found] == [
        "a.libs/libz-0123abcd.so.1.3",
        "a/bin/node",
        "tool-1.0.data/scripts/tool",
        "z/mod.cpython-312-x86_64-linux-gnu.so",
    ]
    assert found[1].interpreter == "/lib64/ld-linux-x86-64.so.2"


def test_texts_are_not_fetched() -> None:
    """Of scripts only the first bytes are fetched; of texts with an execute bit and tiny files nothing."""
    files = {
        "a/run.py": b"#!/usr/bin/env python\n" * 9,
        "a/README.md": b"# read me\n" * 9,
        "a/empty.so": b"",
        "a/tiny": b"\x7fELF",
        "t-1.data/scripts/t": b"#!python\nimport t\n" * 9,
        "a/lib.so": b"INPUT(libreal.so) /* linker script */" * 3,
        "a/mod.so.py": b"#" * 99,
    }
    archive = Memory(files, files)
    assert inspect(archive) == ()
    assert archive.heads == ["t-1.data/scripts/t"]
    assert archive.reads == ["a/lib.so"]


def test_nothing_to_open_opens_nothing() -> None:
    """A pure Python wheel is answered from its list of members alone."""
    archive = Memory({"a/__init__.py": b"x = 1\n" * 20, "a-1.dist-info/METADATA": b"Name: a\n" * 20})
    assert inspect(archive) == ()
    assert (archive.heads, archive.reads) == ([], [])


def test_damaged_files_are_reported_and_foreign_ones_kept() -> None:
    """A damaged library does not hide the others, and is among those that nixpy cannot read; text and static programs
    are not. Files for foreign machines are kept.
    """
    files = {
        "a/bad.so": LIBRARY[:-20],
        "a/script.so": b"INPUT(libreal.so) /* linker script */" * 3,
        "a/static.so": elf(dynamic=False),
        "a/good.so": LIBRARY,
        "a/arm.so": elf(needed=["libz.so.1"], machine=183),
    }
    assert [(file.path, file.machine) for file in inspect(Memory(files))] == [
        ("a/arm.so", 183),
        ("a/good.so", 62),
    ]
    assert read_facts(Memory(files)).unreadable == ("a/bad.so",)


def test_libraries_that_a_file_opens() -> None:
    """What a file opens at run time is read with its links; a file that the loader does not link opens nothing."""
    data = opener(["libGL.so.1"])
    (one,) = read(data, "a/mod.so").opens
    assert (one.names, one.path, one.systems) == (("libGL.so.1",), "a/mod.so", ("x86_64-linux",))
    assert read(data[:40] + data[41:], "a/mod.so").opens == ()
    assert read(LIBRARY, "a/lib.so").opens == ()
