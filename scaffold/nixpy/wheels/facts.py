"""Read the facts of one wheel from its members.

The members are read together, so that a wheel on an index takes few requests.
"""

from __future__ import annotations

from nixpy.needs.model import ElfFile, RuntimeOpen, WheelFacts
from nixpy.wheels import elf_files, metadata
from nixpy.wheels.archive import Archive


def read_facts(archive: Archive, *, elf: bool = True, requires: bool = False) -> WheelFacts:
    """Return the facts of a wheel.

    The caller sets how they are known.

    Args:
        archive: The wheel.
        elf: Read its ELF files.
        requires: Read the requirements in its METADATA.

    Raises:
        NixpyError: The wheel cannot be read.
    """
    linked = frozenset(elf_files.candidates(archive) if elf else ())
    described = metadata.path(archive) if requires else None
    files: list[ElfFile] = []
    opens: list[RuntimeOpen] = []
    unreadable: list[str] = []
    lines: tuple[str, ...] | None = () if requires else None
    # Each content is dropped before the next one is read: the files of a wheel may not fit into memory together.
    for path, content in archive.read(sorted({*linked, *([described] if described else [])})):
        if path == described:
            lines = metadata.requires(bytes(content), path)
            continue
        found = elf_files.read(content, path)
        files += [found.file] if found.file else []
        opens += found.opens
        unreadable += [path] if found.unreadable else []
    return WheelFacts(
        files=tuple(sorted(files, key=lambda file: file.path)),
        known="tag",
        requires=lines,
        opens=tuple(sorted(opens, key=lambda one: (one.path, one.line or 0, one.names))),
        unreadable=tuple(sorted(unreadable)),
    )
