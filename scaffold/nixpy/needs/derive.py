"""From the ELF files of a wheel to what the wheel asks of others. Pure: no disk, no network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from packaging.utils import NormalizedName

from nixpy.needs.dlopen import Curated, curated
from nixpy.needs.glibc import is_glibc
from nixpy.needs.model import ElfFile, Needs, WheelFacts

# What CPython and its kin import, but for plain `.so`: a tag of the interpreter or the stable ABI
# before `.so` (PEP 3149, PEP 384, PEP 803).
_TAG = re.compile(r"(?<=.)\.(?:cpython-3|pypy3|graalpy|abi3t?\.so\Z)")
_SHARED_LIBRARY = re.compile(r".+\.so(?:\.[^/]+)?")
# auditwheel appends `-` and 8 hex digits of the hash, maturin too, torch with a dot: libz-eb09ad1d.so.1.2.3
_GRAFT = re.compile(r"(?<=.)[-.][0-9a-f]{8,40}\.")
_PLUGIN_FOLDERS = frozenset(("plugins", "qml"))


def needs_of(name: NormalizedName, facts: WheelFacts, machine: int | None) -> Needs:
    """Return what the wheel of package `name` asks of others on `machine` (ELF e_machine, None for Darwin).

    Required are the in-wheel DT_NEEDED closure of its roots, and what `dlopen.csv` says it opens. Roots are
    extension modules and programs. A wheel without extension module is loaded by ctypes or by a sibling
    (lightgbm, PyQt6-Qt6, the nvidia wheels), so there all libraries outside plugin folders are roots too.
    `dlopen.csv` adds and removes roots.

    A file of the wheel answers to its DT_SONAME and to its file name, wherever it lies: how it is found is
    the wheel's own business (run paths, import order). On Darwin only the curated names are known.
    """
    rows = curated(name)
    files = [file for file in facts.files if file.machine == machine]
    index = _index(files)
    external = _external(files, index)
    opened = tuple(soname for soname in rows.sonames if soname not in index)
    required = {*opened, *(soname for file in _closure(_roots(files, rows), index) for soname in file.needed)}
    return Needs(
        sonames=tuple(sorted(external.items())),
        optional=tuple(sorted(external.keys() - required)),
        executables=tuple(sorted(file.path for file in files if is_executable(file))),
        dlopen=opened,
        provides=tuple(sorted(_provided(files))),
        glibc=max((file.glibc for file in files if file.glibc), default=None),
        known=facts.known,
    )


def is_extension(path: str) -> bool:
    """Return whether a path inside a wheel names an extension module, one that `import` may load.

    That is every tagged name, and a plain `name.so` that is an identifier and does not start with `lib`:
    modules are hardly called so, libraries always. Whether it exports `PyInit_…` is not asked, so a library
    that is opened by path may count as well (torchvision's `_C_stable.so`); it is as necessary as a module.
    """
    name = PurePosixPath(path).name
    if name.endswith(".so") and _TAG.search(name):
        return True
    stem, dot, suffix = name.partition(".")
    return dot + suffix == ".so" and stem.isidentifier() and not stem.startswith("lib")


def is_executable(file: ElfFile) -> bool:
    """Return whether a file is a program with an interpreter; some libraries have one too (Qt's, glibc's)."""
    return file.interpreter is not None and not is_library(file.path)


def is_library(path: str) -> bool:
    """Return whether a path is called like a shared library: `.so` at the end, or before a version."""
    return _SHARED_LIBRARY.fullmatch(PurePosixPath(path).name) is not None


def format_glibc(version: Iterable[int]) -> str:
    """Write a glibc version as people do: (2, 28) is `2.28`."""
    return ".".join(map(str, version))


def _index(files: Iterable[ElfFile]) -> dict[str, list[ElfFile]]:
    """Return who in the wheel answers to a name; several may (one library a variant)."""
    index: dict[str, list[ElfFile]] = {}
    for file in files:
        for name in _names(file):
            index.setdefault(name, []).append(file)
    return index


def _names(file: ElfFile) -> set[str]:
    names = {PurePosixPath(file.path).name}
    return names | {file.soname} if file.soname else names


def _external(files: Iterable[ElfFile], index: Mapping[str, object]) -> dict[str, str]:
    """Return each soname asked of others, with the first file that needs it (`files` are sorted by path)."""
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
    """Return what siblings may ask for. A grafted file is private, even where it kept its old DT_SONAME."""
    return {name for file in files if _is_shared(file) for name in _names(file) if not _is_grafted(name)}


def _is_grafted(name: str) -> bool:
    """Return whether a name has a hash between its own name and what has `so` in it."""
    graft = _GRAFT.search(name)
    return graft is not None and "so" in name[graft.end() :]


def _is_shared(file: ElfFile) -> bool:
    name = PurePosixPath(file.path).name
    return is_library(name) and not is_extension(name) and not _is_grafted(name)
