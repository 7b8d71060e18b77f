"""Read the sources of a package: their names as modules, and their syntax trees."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Collection, Mapping
from functools import cached_property

SOURCE_SIZE = 768 << 10
"""Characters of one source. vlc.py, which declares the whole of libvlc, has 0.4 million."""

TOTAL_SIZE = 6 << 20
"""Characters of all sources of a package that are parsed."""

_IMPORT = re.compile(r"^[ \t]*(?:from|import)[ \t][^\n]*", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_]\w*")


def parse(text: str) -> ast.Module | None:
    """Return the syntax tree of a source; None if it is too long, damaged or written for Python 2."""
    if len(text) > SOURCE_SIZE:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class Package:
    """The Python files of a wheel or an sdist."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources
        self._trees: dict[str, ast.Module | None] = {}
        self._left = TOTAL_SIZE
        self._known_words: dict[str, frozenset[str]] = {}
        self._paths = {module_name(path): path for path in sorted(sources, reverse=True) if path.endswith(".py")}
        self._endings: dict[str, str] = {}
        for name in sorted(self._paths, key=lambda name: (name.count("."), name), reverse=True):
            parts = name.split(".")
            for start in range(len(parts)):
                above, below = ".".join(parts[:start]), ".".join(parts[start:])
                if above not in self._paths and not (start and parts[start] in sys.stdlib_module_names):
                    self._endings[below] = name

    def find(self, name: str) -> str | None:
        """Return the full name of a module, which may be below `src` or another folder."""
        return self._endings.get(name)

    def is_package(self, name: str) -> bool:
        """Return whether a module is the `__init__.py` of a folder."""
        return self._paths[name].endswith("__init__.py")

    def path(self, name: str) -> str:
        """Return the path of a module."""
        return self._paths[name]

    def tree(self, name: str) -> ast.Module | None:
        """Return the syntax tree of a module."""
        path = self._paths[name]
        if path not in self._trees:
            text = self._sources[path]
            self._left -= len(text)
            self._trees[path] = parse(text) if self._left > 0 else None
        return self._trees[path]

    def modules_with(self, *words: str) -> set[str]:
        """Return the names of the modules with one of the words in their text."""
        return {name for name, path in self._paths.items() if any(word in self._sources[path] for word in words)}

    def users(self, module: str, names: Collection[str]) -> set[str]:
        """Return the modules that have the name of a module in an import, and one of the names in their text."""
        lasts = module.split(".")[-2:]
        found = {other for last in lasts for other in self._importers.get(last, ())}
        return {other for other in found if not self._words(other).isdisjoint(names)}

    @cached_property
    def _importers(self) -> dict[str, list[str]]:
        """The modules by the words in the first lines of their imports."""
        found: dict[str, list[str]] = {}
        for name, path in self._paths.items():
            lines = _IMPORT.findall(self._sources[path])
            for word in {word for line in lines for word in _WORD.findall(line)}:
                found.setdefault(word, []).append(name)
        return found

    def _words(self, module: str) -> frozenset[str]:
        if module not in self._known_words:
            self._known_words[module] = frozenset(_WORD.findall(self._sources[self._paths[module]]))
        return self._known_words[module]


def module_name(path: str) -> str:
    """Return the dotted name of a source.

    >>> module_name("demo/linux/__init__.py")
    'demo.linux'
    """
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
