"""The facts of one wheel: which members are read for them, and together."""

from __future__ import annotations

from elfbuild import elf
from nixpy.needs.model import WheelFacts
from nixpy.wheels.facts import read_facts
from wheels.test_elf_files import Memory

LIBRARY = elf(needed=["libz.so.1"])
METADATA = b"Metadata-Version: 2.4\nName: a\nVersion: 1\nRequires-Dist: six\n"


def test_elf_files_and_metadata_are_read_in_one_go() -> None:
    """One call reads ELF files and METADATA, each only if the caller wants it."""
    files = {"a/b.so": LIBRARY, "a-1.dist-info/METADATA": METADATA}
    for elf_files in (True, False):
        for requires in (True, False):
            archive = Memory(files)
            facts = read_facts(archive, elf=elf_files, requires=requires)
            assert [file.path for file in facts.files] == (["a/b.so"] if elf_files else [])
            assert facts.requires == (("six",) if requires else None)
            assert archive.calls == 1


def test_wheel_without_metadata_requires_nothing() -> None:
    """A wheel without METADATA has no requirements, which is not the same as requirements that were not read."""
    assert read_facts(Memory({}), requires=True) == WheelFacts(files=(), known="tag", requires=())
