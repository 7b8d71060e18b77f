"""Name the modules of a wheel or an sdist from the paths of its sources."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

_TEST_FOLDERS = frozenset(("tests", "test", "_tests", "unittests", "testsuite", "test_suite"))
_TEST_FILE = re.compile(r"(?:test_.*|.*_tests?|conftest|tests)\.py")
# Files of a source tree that are not modules of the package.
_TOP_SCRIPTS = frozenset(("setup.py", "conftest.py", "noxfile.py", "tasks.py", "fabfile.py", "versioneer.py"))
_TOP_FOLDERS = frozenset(("doc", "docs", "example", "examples", "benchmark", "benchmarks", "tools", "scripts"))
# Parts of a package that users run or read, and do not import.
_SIDE = frozenset(
    ("examples", "example", "demos", "demo", "docs", "doc", "benchmarks", "benchmark", "samples", "_examples")
)
_WHOLE = 2  # modules that say nothing about the package that they are in
# Modules that have only the version of a package.
_ABOUT = frozenset(("_version", "version", "__version__", "__about__", "_about", "about", "_meta", "metadata", "info"))


def is_test(path: str) -> bool:
    """Return whether a path in a wheel is that of a test or a build script."""
    *folders, name = path.split("/")
    if not folders and name in _TOP_SCRIPTS:
        return True
    return not _TEST_FOLDERS.isdisjoint(folders) or _TEST_FILE.fullmatch(name) is not None


def is_side(module: str) -> bool:
    """Return whether a module is an example, a demo or documentation."""
    return not _SIDE.isdisjoint(module.split(".")[1:])


def is_about(module: str) -> bool:
    """Return whether a module has only facts about the package, such as its version."""
    return module.rpartition(".")[2] in _ABOUT


def module_name(path: str) -> str | None:
    """Return the dotted name of the module in a file, or None if no import finds it.

    The file is one of a wheel or an sdist. For example, `demo/sub/__init__.py` is `demo.sub`; in an sdist it is
    `demo-1.0/src/demo/sub/__init__.py`.
    """
    if not path.endswith((".py", ".pyi")):
        return None
    *folders, name = path.split("/")
    if folders and not folders[0].isidentifier():  # demo-1.0.data/purelib of a wheel, demo-1.0/src of an sdist
        data = folders.pop(0).endswith(".data")
        if data and (not folders or folders.pop(0) not in ("purelib", "platlib")):
            return None
        if not data and folders[:1] in (["src"], ["lib"], ["python"]):
            folders.pop(0)
        if not data and folders and folders[0] in _TOP_FOLDERS:
            return None
        if not folders and name in _TOP_SCRIPTS:
            return None
    stem = name.rpartition(".")[0]
    parts = [*folders, stem] if stem != "__init__" else folders
    return ".".join(parts) if parts and all(part.isidentifier() for part in parts) else None


def below(module: str, package: str) -> bool:
    """Return whether a module is the given one, or is in it."""
    return module == package or module.startswith(f"{package}.")


def outermost(modules: Iterable[str]) -> tuple[str, ...]:
    """Return the modules that are below no other of them, sorted."""
    found: list[str] = []
    for module in sorted(modules, key=lambda name: name.split(".")):
        if not found or not below(module, found[-1]):
            found.append(module)
    return tuple(sorted(found))


def _parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts)))


@dataclass(frozen=True, slots=True)
class Modules:
    """The modules of a wheel, without its tests, each with its path.

    `packages` are those with an `__init__.py`, and `tops` the first components of all names. Users import the modules
    `imported` first: the top-level ones, and in namespace packages, which have no `__init__.py`, the first ones below.
    """

    paths: Mapping[str, str]
    packages: frozenset[str]
    tops: frozenset[str]
    imported: tuple[str, ...]

    @staticmethod
    def of(paths: Collection[str]) -> Modules:
        """Return the modules of the sources with these paths."""
        found: dict[str, str] = {}
        packages = set()
        for path in sorted(paths):
            if not path.endswith(".py") or is_test(path) or (module := module_name(path)) is None:
                continue
            if path.endswith("/__init__.py"):
                packages.add(module)
                found[module] = path
            else:
                found.setdefault(module, path)
        tops = frozenset(module.partition(".")[0] for module in found)
        imported = outermost(found)
        # Some wheels also have the examples of their source tree.
        main = tuple(module for module in imported if module.partition(".")[0] not in _TOP_FOLDERS)
        return Modules(found, frozenset(packages), tops, main or imported)

    def entries(self, importers: Collection[str]) -> tuple[str, ...]:
        """Return the outermost of some modules that import one module.

        A package replaces the modules in it if they are in most parts of it: nearly everything in django.contrib.gis
        imports GDAL.
        """
        found = outermost(importers)
        packages = {parent for module in found for parent in _parents(module)} - {*self.imported}
        for package in sorted(packages, key=lambda name: (-name.count("."), name)):
            children = self.children(package) if any(below(package, top) for top in self.imported) else ()
            parts = sum(any(below(module, child) for module in found) for child in children)
            if _WHOLE < parts > len(children) / 2:
                found = outermost((*found, package))
        return found

    def children(self, package: str) -> tuple[str, ...]:
        """Return the modules directly in a package.

        Those of a subpackage without `__init__.py` are among them.
        """
        return outermost(module for module in self.paths if module.startswith(f"{package}."))
