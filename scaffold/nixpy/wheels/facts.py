"""Read the facts of one wheel from its members.

The members are read together, so that a wheel on an index takes few requests.
"""

from __future__ import annotations

import contextlib
import threading

from nixpy.needs.model import ElfFile, RuntimeOpen, WheelFacts
from nixpy.wheels import elf_files, metadata, python_files
from nixpy.wheels.archive import Archive

_LARGE = 32 << 20  # bytes
# One thread at a time has the sources of a large wheel in memory.
_one_large_wheel = threading.Lock()


def read_facts(archive: Archive, *, elf: bool = True, sources: bool = False, requires: bool = False) -> WheelFacts:
    """Return the facts of a wheel.

    The caller sets how they are known.

    Args:
        archive: The wheel.
        elf: Read its ELF files.
        sources: Read its Python sources.
        requires: Read the requirements in its METADATA.

    Raises:
        NixpyError: The wheel cannot be read.
    """
    members = archive.members()
    linked = frozenset(elf_files.candidates(archive) if elf else ())
    written = python_files.candidates(members) if sources else python_files.Candidates()
    described = metadata.path(archive) if requires else None
    lines: tuple[str, ...] | None = () if requires else None
    files: list[ElfFile] = []
    opens: list[RuntimeOpen] = []
    unreadable = list(written.past_limits)
    contents: dict[str, bytes] = {}
    with _one_large_wheel if written.size > _LARGE else contextlib.nullcontext():
        for path, content in archive.read(sorted({*linked, *written.paths, *([described] if described else [])})):
            if path in linked:
                # Only one ELF file at a time: those of a wheel may not fit into memory together.
                found = elf_files.read(content, path)
                files += [found.file] if found.file else []
                opens += found.opens
                unreadable += [path] if found.unreadable else []
            elif path in written.paths:
                contents[path] = bytes(content)
            else:
                lines = metadata.requires(bytes(content), path)
        called, imports = python_files.read(contents, [member.path for member in members])
    return WheelFacts(
        files=tuple(sorted(files, key=lambda file: file.path)),
        known="tag",
        requires=lines,
        opens=tuple(sorted((*opens, *called), key=lambda one: (one.path, one.line or 0, one.names))),
        imports=imports,
        unreadable=tuple(sorted(unreadable)),
    )
