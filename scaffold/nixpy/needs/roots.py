"""Find the files of a wheel that are opened, and those to which they link.

A file is *required* if Python can import it, if it is a program, or if the wheel opens it for certain. It is *likely*
if the package's own code opens it: a source, a string or a note of another file that is opened, or a loader of plugins
(`plugins.csv`). Others are *optional*. Files that are only shipped, for other programs or machines, do not count.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from nixpy.needs.dlopen import Curated
from nixpy.needs.model import ElfFile, RuntimeOpen, reached
from nixpy.needs.plugins import plugin

# The suffixes that CPython and PyPy import, except plain `.so`: a tag of the interpreter or of the stable ABI
# before `.so` (PEP 3149, PEP 384, PEP 803).
_TAG = re.compile(r"(?<=.)\.(?:cpython-3|pypy3|graalpy|abi3t?\.so\Z)")
_SHARED_LIBRARY = re.compile(r".+\.so(?:\.[^/]+)?")
_TESTS = frozenset(("test", "tests", "testdata", "test_data"))
_MUSL = re.compile(r"libc\.musl-\w+\.so\.1")
# Modules that only Python itself has: `_ssl`, `_ctypes`. A package may have some of these names for its own modules.
_OF_PYTHON = frozenset(name for name in sys.stdlib_module_names if name.startswith("_"))
_MOST_OF_PYTHON = 10

Index = Mapping[str, Sequence[ElfFile]]
"""The files of a wheel by soname, file name, and path after `./`. Variants of a library share a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The files of a wheel by what opens them. A file is in one of the parts."""

    required: tuple[ElfFile, ...]
    likely: tuple[ElfFile, ...]
    optional: tuple[ElfFile, ...]


def parts_of(files: Sequence[ElfFile], index: Index, opens: Collection[RuntimeOpen], rows: Curated) -> Parts:
    """Divide the files of a wheel.

    Args:
        files: The ELF files for one machine.
        index: The same files by their names.
        opens: What the files of the wheel open on its system.
        rows: The rows of `dlopen.csv` about the package.

    Returns:
        The parts, each in the order of `files`. Files that are only shipped are in none.
    """
    openers: dict[str, list[RuntimeOpen]] = defaultdict(list)
    for one in opens:
        openers[one.path].append(one)
    spared = {file.path for file in files if rows.spares(file.path)}
    shipped = _only_shipped(files)
    own = [file for file in files if file.path not in shipped]
    # ctypes or a sibling wheel loads a wheel without extension modules.
    loaded = not any(is_extension(file.path) for file in own)
    roots = [file for file in own if _is_root(file, rows, loaded=loaded)]
    sources = [one for one in reached(opens) if one.evidence == "source" and one.certainty != "possible"]
    certain = [one for one in sources if one.certainty == "certain"]
    required = _closure([*roots, *_opened(certain, index, spared)], index)
    plugins = [file for file in own if file.path not in spared and _is_plugin(file, index)]
    found = _closure(
        [*required.values(), *plugins, *_opened(sources, index, spared)],
        index,
        lambda file: _opened(openers.get(file.path, ()), index, spared),
    )
    return Parts(
        required=tuple(file for file in files if file.path in required),
        likely=tuple(file for file in files if file.path in found and file.path not in required),
        optional=tuple(file for file in files if file.path not in found and file.path not in shipped),
    )


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


def _is_root(file: ElfFile, rows: Curated, *, loaded: bool) -> bool:
    if rows.requires(file.path):
        return True
    if rows.spares(file.path):
        return False
    certainty = plugin(file.path)
    if is_extension(file.path) or is_executable(file) or certainty == "certain":
        return True
    return certainty is None and loaded


def _is_plugin(file: ElfFile, index: Index) -> bool:
    """Return whether a loader of the wheel likely opens a plugin.

    Such a plugin links to the library of the loader.
    """
    return plugin(file.path) == "likely" and any(soname in index for soname in file.needed)


def _opened(opens: Iterable[RuntimeOpen], index: Index, spared: Collection[str]) -> list[ElfFile]:
    """Return the files of the wheel that are opened.

    Of several names, the first one that the wheel has counts. A string in a file is only a name, but a file of that
    name in the same wheel shows that the string is used.
    """
    firsts = (next((index[name] for name in one.names if name in index), ()) for one in opens)
    return [file for found in firsts for file in found if file.path not in spared]


def _closure(
    roots: Iterable[ElfFile], index: Index, opened: Callable[[ElfFile], Iterable[ElfFile]] = lambda _: ()
) -> dict[str, ElfFile]:
    """Return the roots and the files to which they link, or that they open, by path."""
    found: dict[str, ElfFile] = {}
    looked_up: set[str] = set()
    waiting = list(roots)
    while waiting:
        file = waiting.pop()
        if file.path not in found:
            found[file.path] = file
            sonames = dict.fromkeys(soname for soname in file.needed if soname not in looked_up)
            looked_up.update(sonames)
            waiting += [other for soname in sonames for other in index.get(soname, ())]
            waiting += opened(file)
    return found


def _only_shipped(files: Iterable[ElfFile]) -> set[str]:
    """Return the paths of files that are in the wheel for other programs or machines.

    These are tests, files for musl, and folders with a copy of Python's own extension modules, which a package puts
    into the programs that it makes.
    """
    by_folder: dict[PurePosixPath, list[ElfFile]] = defaultdict(list)
    for file in files:
        by_folder[PurePosixPath(file.path).parent].append(file)
    shipped: set[str] = set()
    for folder, inside in by_folder.items():
        modules = {PurePosixPath(file.path).name.partition(".")[0] for file in inside if is_extension(file.path)}
        if len(modules & _OF_PYTHON) >= _MOST_OF_PYTHON or not _TESTS.isdisjoint(folder.parts):
            shipped.update(file.path for file in inside)
        shipped.update(file.path for file in inside if any(map(_MUSL.fullmatch, file.needed)))
    return shipped
