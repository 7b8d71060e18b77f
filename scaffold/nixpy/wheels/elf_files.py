"""Find the files of a wheel that the loader links, and read their facts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from nixpy.needs import elf
from nixpy.needs.elf_strings import read_opens
from nixpy.needs.model import ElfFile, RuntimeOpen
from nixpy.needs.roots import is_library
from nixpy.wheels.archive import Archive, Content, Member

# Wheels from a file system without modes have every execute bit set; files with these suffixes are not programs.
_TEXT_SUFFIXES = frozenset((
    ".bat", ".c", ".cfg", ".cmake", ".cpp", ".css", ".csv", ".h", ".hpp", ".html", ".ini", ".ipynb", ".js", ".json",
    ".md", ".pl", ".ps1", ".pxd", ".py", ".pyi", ".pyx", ".qml", ".rst", ".sh", ".svg", ".toml", ".ts", ".txt",
    ".typed", ".xml", ".yaml", ".yml",
))  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ElfFacts:
    """The facts of one file of a wheel; all are empty if the loader does not link it."""

    file: ElfFile | None = None
    opens: tuple[RuntimeOpen, ...] = ()  # the libraries that it opens at run time
    unreadable: bool = False  # the loader links it, and nixpy cannot read it


def inspect(archive: Archive) -> tuple[ElfFile, ...]:
    """Return the linking facts of every dynamic ELF file of a wheel.

    They are those of all machines, sorted by path.
    """
    found = {path: read(content, path).file for path, content in archive.read(candidates(archive))}
    return tuple(file for _, file in sorted(found.items()) if file is not None)


def candidates(archive: Archive) -> tuple[str, ...]:
    """Return the paths of the files that may be ELF files, sorted.

    nixpy looks at names with `.so` at the end or before a version, at all of `*.data/scripts/` (PEP 427), and at files
    with an execute bit and no suffix of a text file. It reads every `.so`, and the others if their first bytes are
    those of ELF.
    """
    members = sorted(archive.members(), key=lambda member: member.path)
    # A name with control characters is hostile.
    return tuple(member.path for member in members if member.path.isprintable() and _is_candidate(archive, member))


def read(content: Content, path: str) -> ElfFacts:
    """Return the facts of one candidate; `path` is its path in the wheel.

    Linker scripts, debug files, static programs and empty files have none (`elf.read`).
    """
    try:
        file = elf.read(content, path)
    except elf.UnreadableError:
        return ElfFacts(unreadable=True)
    return ElfFacts(file=file, opens=read_opens(content, file.machine, path) if file else ())


def _is_candidate(archive: Archive, member: Member) -> bool:
    if member.size < elf.HEADER_SIZE:
        return False
    path = PurePosixPath(member.path)
    if is_library(member.path):
        return path.suffix.lower() not in _TEXT_SUFFIXES
    is_script = len(path.parts) > 2 and path.parts[0].endswith(".data") and path.parts[1] == "scripts"
    is_program = member.executable and path.suffix.lower() not in _TEXT_SUFFIXES
    return (is_script or is_program) and archive.head(member.path, len(elf.MAGIC)) == elf.MAGIC
