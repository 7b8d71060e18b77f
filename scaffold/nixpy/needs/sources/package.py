"""Read the sources of a package: which of them matter, their names as modules, and their syntax trees."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Iterable, Mapping
from functools import cached_property

SOURCE_SIZE = 2 << 20
"""Characters of one source. The longest that opens a library in 70 packages has 0.6 million."""

ROUNDS = 6
"""Steps from a function that opens a library to one that calls it through others, over modules."""

_OPENERS = frozenset({"CDLL", "PyDLL", "cdll", "pydll", "LoadLibrary", "find_library", "dlopen"})
_WORDS = re.compile(rf"\b(?:{'|'.join(sorted(_OPENERS))})\b")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


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
            self._trees[path] = parse(self._sources[path])
        return self._trees[path]

    @cached_property
    def relevant(self) -> tuple[frozenset[str], tuple[str, ...]]:
        """The names of functions and classes that may open a library, and the modules with a call of one, sorted."""
        names = set(_OPENERS)
        modules = {name for name, path in self._paths.items() if _WORDS.search(self._sources[path])}
        definitions: dict[str, list[tuple[str, frozenset[str]]]] = {}
        for _ in range(ROUNDS):
            for module in modules - definitions.keys():
                definitions[module] = _definitions(self.tree(module))
            while True:
                found = {name for rows in definitions.values() for name, used in rows if used & names} - names
                if not found:
                    break
                names |= found
            more = self._users(modules, names - _OPENERS)
            if not more:
                break
            modules |= more
        return frozenset(names), tuple(sorted(name for name in modules if self.tree(name)))

    def _users(self, modules: Iterable[str], names: Iterable[str]) -> set[str]:
        """Return other modules that name a function that may open a library together with its module."""
        lasts = {re.escape(part) for module in modules for part in module.split(".")[-2:] if part != "__init__"}
        words = {re.escape(name) for name in names if not name.startswith("__")}
        if not lasts or not words:
            return set()
        last, word = (re.compile(rf"\b(?:{'|'.join(sorted(group))})\b") for group in (lasts, words))
        others = self._paths.keys() - set(modules)
        return {
            name
            for name in others
            if word.search(self._sources[self._paths[name]]) and last.search(self._sources[self._paths[name]])
        }


def module_name(path: str) -> str:
    """Return the dotted name of a source.

    >>> module_name("demo/linux/__init__.py")
    'demo.linux'
    """
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _definitions(tree: ast.Module | None) -> list[tuple[str, frozenset[str]]]:
    """Return the functions and classes of a module with the names that they use."""
    found = []
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, _DEFINITIONS):
            name = node.name
            used = mentioned(node)
            found.append((name, used))
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda | ast.Name | ast.Attribute | ast.Call):
            used = mentioned(node.value)
            found += [(target.id, used) for target in node.targets if isinstance(target, ast.Name)]
    return found


def mentioned(tree: ast.AST) -> frozenset[str]:
    """Return the names of variables and attributes in a part of a syntax tree."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
    return frozenset(names)
