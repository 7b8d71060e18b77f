"""Derive the needs of a wheel from the facts about it. Pure: no disk, no network."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from packaging.utils import NormalizedName

from nixpy.core.target import system_of
from nixpy.needs.dlopen import curated
from nixpy.needs.glibc import is_glibc
from nixpy.needs.model import OWN, ElfFile, Needs, RuntimeOpen, WheelFacts, open_order, reached
from nixpy.needs.roots import Parts, is_executable, is_extension, is_library, parts_of

# auditwheel appends `-` and 8 hex digits of the hash, maturin too, torch with a dot: libz-eb09ad1d.so.1.2.3
_GRAFT = re.compile(r"(?<=.)[-.][0-9a-f]{8,40}\.")


def needs_of(name: NormalizedName, facts: WheelFacts, machine: int | None) -> Needs:
    """Return the needs of the wheel of package `name` on `machine`.

    `machine` is an ELF e_machine, or None for Darwin.

    The wheel needs the DT_NEEDED names of its files, but for those that are only shipped (`roots.py`), and the names
    that it opens. It requires those of the files that are opened for certain, and the names that it opens.

    A file of the wheel supplies its DT_SONAME and its file name, in whatever folder it is: the wheel itself finds it
    (run paths, import order). The wheel does not need what it opens at run time if it contains one of the names
    that it tries. On Darwin only what wheels open is known.
    """
    files = [file for file in facts.files if file.machine == machine]
    index = _index(files)
    system = system_of(machine)
    here = [one for one in facts.opens if system in one.systems]
    parts = parts_of(files, index, here, curated(name))
    kept = sorted((*parts.required, *parts.likely, *parts.optional), key=lambda file: file.path)
    shown = _shown(here, {file.path for file in files}.difference(file.path for file in kept), parts)
    # A file that nixpy cannot read has its file name all the same.
    shipped = {PurePosixPath(path).name for path in facts.unreadable} | index.keys()
    external = _external(kept, shipped)
    opens = with_table(shown, name, system, shipped) if system else ()
    # Of several names only one is opened, and it need not be the one that a file links to.
    named = {(one.names[0], one.certainty) for one in reached(opens) if len(one.names) == 1}
    required = _needed(parts.required) | {soname for soname, certainty in named if certainty == "certain"}
    likely = _needed(parts.likely) | {soname for soname, certainty in named if certainty == "likely"}
    return Needs(
        sonames=tuple(sorted(external.items())),
        likely=tuple(sorted(external.keys() & likely - required)),
        optional=tuple(sorted(external.keys() - required - likely)),
        executables=tuple(sorted(file.path for file in files if is_executable(file))),
        provides=tuple(sorted(_provided(kept))),
        glibc=max((file.glibc for file in files if file.glibc), default=None),
        known=facts.known,
        opens=opens,
        imports=facts.imports,
        unreadable=() if machine is None else facts.unreadable,
    )


def _shown(opens: Iterable[RuntimeOpen], left_out: Container[str], parts: Parts) -> Iterator[RuntimeOpen]:
    """Yield what the files of a wheel open, without its own files.

    What a file opens that nothing opens itself is only possible.
    """
    spared = {file.path for file in parts.optional}
    for one in opens:
        if one.path not in left_out and not one.names[0].startswith(OWN):
            yield replace(one, certainty="possible") if one.path in spared else one


def with_table(
    opens: Iterable[RuntimeOpen], name: NormalizedName, system: str, shipped: Container[str]
) -> tuple[RuntimeOpen, ...]:
    """Return what a package opens on one system, with the rows of `dlopen.csv`.

    The rows complete the files of the wheel, and do not replace them: each soname keeps all its evidence. A row is
    about the main work of the package, and a file shows where the package opens the library. What a file opens that
    the package works without is only possible.

    Args:
        opens: The opens that the files of the wheel show. Rows of another version of the table are left out.
        name: The package.
        system: The only system of the result.
        shipped: The names of the libraries that the wheel contains. It needs no library of which it has a copy, even
            if it tries the name of the system first.
    """
    rows = curated(name)
    shown = (one for one in opens if one.evidence != "table")
    every = (*(replace(one, certainty="possible") if rows.spares(one.path) else one for one in shown), *rows.opens)
    lacking = {replace(one, systems=(system,)) for one in every if not any(each in shipped for each in one.names)}
    return tuple(sorted(lacking, key=open_order))


def format_glibc(version: Iterable[int]) -> str:
    """Return a glibc version as text: (2, 28) is `2.28`."""
    return ".".join(map(str, version))


def _index(files: Iterable[ElfFile]) -> dict[str, list[ElfFile]]:
    """Return the files of the wheel by soname, file name, and path after `./`.

    Variants of a library share a name.
    """
    index: dict[str, list[ElfFile]] = {}
    for file in files:
        for name in (*_names(file), OWN + file.path):
            index.setdefault(name, []).append(file)
    return index


def _names(file: ElfFile) -> set[str]:
    names = {PurePosixPath(file.path).name}
    return names | {file.soname} if file.soname else names


def _needed(files: Iterable[ElfFile]) -> set[str]:
    return {soname for file in files for soname in file.needed}


def _external(files: Iterable[ElfFile], shipped: Container[str]) -> dict[str, str]:
    """Return each soname that the wheel does not supply.

    With it is the first file that needs it, by path.
    """
    first: dict[str, str] = {}
    for file in files:
        for soname in file.needed:
            if soname and soname not in shipped and not is_glibc(soname):
                first.setdefault(soname, file.path)
    return first


def _provided(files: Iterable[ElfFile]) -> set[str]:
    """Return the names that sibling wheels may need.

    A grafted file is private, even with its old DT_SONAME.
    """
    return {name for file in files if _is_shared(file) for name in _names(file) if not is_grafted(name)}


def is_grafted(name: str) -> bool:
    """Return whether a name has a hash before its `.so`, as auditwheel writes it."""
    graft = _GRAFT.search(name)
    return graft is not None and "so" in name[graft.end() :]


def _is_shared(file: ElfFile) -> bool:
    name = PurePosixPath(file.path).name
    return is_library(name) and not is_extension(name) and not is_grafted(name)
