"""Derive the needs of a wheel from the facts about it. Pure: no disk, no network."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from packaging.utils import NormalizedName

from nixpy.core.target import system_of
from nixpy.needs.dlopen import Curated, curated
from nixpy.needs.glibc import is_glibc
from nixpy.needs.model import ElfFile, Needs, RuntimeOpen, WheelFacts, open_order, reached

# The suffixes that CPython and PyPy import, except plain `.so`: a tag of the interpreter or of the stable ABI
# before `.so` (PEP 3149, PEP 384, PEP 803).
_TAG = re.compile(r"(?<=.)\.(?:cpython-3|pypy3|graalpy|abi3t?\.so\Z)")
_SHARED_LIBRARY = re.compile(r".+\.so(?:\.[^/]+)?")
# auditwheel appends `-` and 8 hex digits of the hash, maturin too, torch with a dot: libz-eb09ad1d.so.1.2.3
_GRAFT = re.compile(r"(?<=.)[-.][0-9a-f]{8,40}\.")
_PLUGIN_FOLDERS = frozenset(("plugins", "qml"))


def needs_of(name: NormalizedName, facts: WheelFacts, machine: int | None) -> Needs:
    """Return the needs of the wheel of package `name` on `machine`.

    `machine` is an ELF e_machine, or None for Darwin.

    The wheel requires the DT_NEEDED names in the closure of its roots, and the names that it opens by `dlopen.csv`.
    Roots are extension modules and programs. ctypes or a sibling wheel loads a wheel without extension modules
    (lightgbm, PyQt6-Qt6, the nvidia wheels), so there all libraries outside plugin folders are roots, too.
    `dlopen.csv` adds and removes roots.

    A file of the wheel supplies its DT_SONAME and its file name, in whatever folder it is: the wheel itself finds it
    (run paths, import order). The wheel does not need what it opens at run time if it contains one of the names
    that it tries. On Darwin only what wheels open is known.
    """
    rows = curated(name)
    files = [file for file in facts.files if file.machine == machine]
    index = _index(files)
    # A file that nixpy cannot read has its file name all the same.
    index = {PurePosixPath(path).name: [] for path in facts.unreadable} | index
    external = _external(files, index)
    system = system_of(machine)
    here = (one for one in facts.opens if system in one.systems)
    opens = with_table(here, name, system, index) if system else ()
    required = {soname for file in _closure(_roots(files, rows), index) for soname in file.needed}
    # Of several names only one is opened, and it need not be the one that a file links to.
    required |= {one.names[0] for one in reached(opens) if len(one.names) == 1 and one.certainty != "possible"}
    return Needs(
        sonames=tuple(sorted(external.items())),
        optional=tuple(sorted(external.keys() - required)),
        executables=tuple(sorted(file.path for file in files if is_executable(file))),
        provides=tuple(sorted(_provided(files))),
        glibc=max((file.glibc for file in files if file.glibc), default=None),
        known=facts.known,
        opens=opens,
        imports=facts.imports,
        unreadable=() if machine is None else facts.unreadable,
    )


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


def is_extension(path: str) -> bool:
    """Return whether a path inside a wheel names an extension module.

    `import` may load such a file.

    These are all tagged names, and a plain `name.so` that is an identifier and does not start with `lib`, as
    libraries do. The symbol `PyInit_…` is not required, so a library that is opened by path may count as well
    (torchvision's `_C_stable.so`); it is as necessary as a module.
    """
    name = PurePosixPath(path).name
    if name.endswith(".so") and _TAG.search(name):
        return True
    stem, dot, suffix = name.partition(".")
    return dot + suffix == ".so" and stem.isidentifier() and not stem.startswith("lib")


def is_executable(file: ElfFile) -> bool:
    """Return whether a file is a program with an interpreter.

    Some libraries have one too (Qt's, glibc's).
    """
    return file.interpreter is not None and not is_library(file.path)


def is_library(path: str) -> bool:
    """Return whether a path has the name of a shared library.

    It has `.so` at the end, or before a version.
    """
    return _SHARED_LIBRARY.fullmatch(PurePosixPath(path).name) is not None


def format_glibc(version: Iterable[int]) -> str:
    """Return a glibc version as text: (2, 28) is `2.28`."""
    return ".".join(map(str, version))


def _index(files: Iterable[ElfFile]) -> dict[str, list[ElfFile]]:
    """Return the files of the wheel by soname and file name.

    Variants of a library share a name.
    """
    index: dict[str, list[ElfFile]] = {}
    for file in files:
        for name in _names(file):
            index.setdefault(name, []).append(file)
    return index


def _names(file: ElfFile) -> set[str]:
    names = {PurePosixPath(file.path).name}
    return names | {file.soname} if file.soname else names


def _external(files: Iterable[ElfFile], index: Mapping[str, object]) -> dict[str, str]:
    """Return each soname that the wheel does not supply.

    With it is the first file that needs it, by path.
    """
    first: dict[str, str] = {}
    for file in files:
        for soname in file.needed:
            if soname and soname not in index and not is_glibc(soname):
                first.setdefault(soname, file.path)
    return first


def _roots(files: Sequence[ElfFile], rows: Curated) -> list[ElfFile]:
    has_extension = any(is_extension(file.path) for file in files)

    def is_root(file: ElfFile) -> bool:
        if rows.requires(file.path):
            return True
        if rows.spares(file.path):
            return False
        if is_extension(file.path) or is_executable(file):
            return True
        return not has_extension and _PLUGIN_FOLDERS.isdisjoint(PurePosixPath(file.path).parts[:-1])

    return [file for file in files if is_root(file)]


def _closure(roots: Iterable[ElfFile], index: Mapping[str, Sequence[ElfFile]]) -> Iterable[ElfFile]:
    reached: dict[str, ElfFile] = {}
    looked_up: set[str] = set()
    waiting = list(roots)
    while waiting:
        file = waiting.pop()
        if file.path not in reached:
            reached[file.path] = file
            sonames = dict.fromkeys(soname for soname in file.needed if soname not in looked_up)
            looked_up.update(sonames)
            waiting += [other for soname in sonames for other in index.get(soname, ())]
    return reached.values()


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
