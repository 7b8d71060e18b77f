"""Choose the modules and functions of a package that are evaluated: those from which code may open a library.

The choice looks at names only. An *opener* is a function that mentions ctypes or cffi, or another opener. A *wrapper*
is an opener that passes on something that is not a constant, so that the callers have the names of libraries.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from nixpy.needs.sources.package import Package

ROUNDS = 4
"""Steps from a function that opens a library to one that calls it through others, over modules."""

MODULES = 80
"""Modules that are read because of the names of others. PyOpenGL has thousands, of which eight open libraries."""

_WORDS = frozenset({"CDLL", "PyDLL", "cdll", "pydll", "LoadLibrary", "find_library", "dlopen"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

Symbol = tuple[str, str]
"""A module and a name in it."""


@dataclass(eq=False, slots=True)
class _Definition:
    """A function, class or alias of a module, or its code outside of these (without a name)."""

    name: str
    nodes: list[ast.AST] = field(default_factory=list)  # functions and lambdas themselves
    mentions: set[Symbol] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)  # of objects that are not known
    calls: set[Symbol] = field(default_factory=set)
    opens: bool = False
    passes_on: bool = False  # a call in it has an argument that is not a constant
    parameters: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The modules to evaluate, sorted, and the functions to begin with, by their identity."""

    modules: tuple[str, ...]
    functions: frozenset[int]


def reach(package: Package) -> Reach:
    """Return which modules and functions of a package are evaluated."""
    modules = package.modules_with(*_WORDS)
    modules = {name for name in sorted(modules)[: 2 * MODULES] if package.tree(name)}
    scopes: dict[str, list[_Definition]] = {}
    seen = set(modules)
    openers: set[Symbol] = set()
    wrappers: set[Symbol] = set()
    methods: set[str] = set()
    for _ in range(ROUNDS):
        for module in sorted(seen - scopes.keys()):
            scopes[module] = list(_Scan(package, module).definitions())
        _close(scopes, openers, wrappers, methods)
        for module in sorted(seen - modules):
            if any(one.mentions & wrappers or (not one.name and one.calls & openers) for one in scopes[module]):
                modules.add(module)
        more = _users(package, seen, wrappers) - seen
        others = _users(package, seen, openers) - seen
        more |= others if len(seen | others) <= MODULES else set()
        if not more or len(seen | more) > 2 * MODULES:
            break
        seen |= {name for name in more if package.tree(name)}
    functions = {
        id(node)
        for module in modules & scopes.keys()
        for one in scopes[module]
        if one.opens or one.mentions & wrappers or one.attributes & methods
        for node in one.nodes
    }
    return Reach(modules=tuple(sorted(modules)), functions=frozenset(functions))


def _close(
    scopes: dict[str, list[_Definition]], openers: set[Symbol], wrappers: set[Symbol], methods: set[str]
) -> None:
    """Add the functions that mention openers and wrappers, until there are no more."""
    rows = [(module, one) for module, found in scopes.items() for one in found if one.name]
    size = -1
    while size != len(openers) + len(wrappers):
        size = len(openers) + len(wrappers)
        for module, one in rows:
            if one.opens or one.mentions & openers:
                openers.add((module, one.name))
            if one.passes_on and one.parameters and (one.opens or one.mentions & wrappers):
                wrappers.add((module, one.name))
                methods.update(node.name for node in one.nodes if isinstance(node, _FUNCTIONS))


def _users(package: Package, modules: set[str], openers: set[Symbol]) -> set[str]:
    """Return the modules with the name of an opener and that of its module."""
    found: set[str] = set()
    for module in {module for module, _ in openers} & modules:
        found |= package.users(module, {name for other, name in openers if other == module})
    return found


class _Scan:
    """Read the definitions of a module and what they mention."""

    def __init__(self, package: Package, module: str) -> None:
        self.package = package
        self.module = module
        self.tree = package.tree(module) or ast.Module(body=[], type_ignores=[])
        self.imports: dict[str, Symbol] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._import(node)

    def definitions(self) -> Iterator[_Definition]:
        """Yield the functions, classes and aliases of the module, and its other code."""
        rest = _Definition("")
        for node in self.tree.body:
            yield from self._of(node, rest)
        yield rest

    def _of(self, node: ast.stmt, rest: _Definition) -> Iterator[_Definition]:
        if isinstance(node, ast.ClassDef):
            found = _Definition(node.name)
            for inner in node.body:
                for one in self._of(inner, _Definition("")):
                    found.parameters |= one.name == "__init__" and one.parameters
                    if one.name:
                        yield one
                    _add(found, one)
            for base in [*node.bases, *node.decorator_list]:
                self._mention(base, found)
            yield found
        elif isinstance(node, _FUNCTIONS):
            found = _Definition(node.name, nodes=[node])
            parameters = {arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg)}
            found.parameters = bool(parameters - {"self", "cls"})
            self._mention(node, found)
            yield found
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            self._mention(node.value, rest)
            for name in names if _is_alias(node.value) else ():
                found = _Definition(name, parameters=True, passes_on=True)
                self._mention(node.value, found)
                yield found
        else:
            blocks = [getattr(node, name, []) for name in ("body", "orelse", "handlers", "finalbody", "cases")]
            for part in ast.iter_child_nodes(node):
                if isinstance(part, ast.expr | ast.withitem):
                    self._mention(part, rest)
            for inner in (inner for block in blocks for inner in block):
                for statement in inner.body if isinstance(inner, ast.ExceptHandler | ast.match_case) else [inner]:
                    yield from self._of(statement, rest)

    def _mention(self, tree: ast.AST, found: _Definition) -> None:
        """Add the names in a part of the tree."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                found.opens |= node.id in _WORDS
                found.mentions.add(self.imports.get(node.id, (self.module, node.id)))
            elif isinstance(node, ast.Attribute):
                found.opens |= node.attr in _WORDS
                self._attribute(node, found)
            elif isinstance(node, ast.Call):
                self._called(node.func, found)
                given = [*node.args, *(keyword.value for keyword in node.keywords)]
                found.passes_on |= any(not isinstance(arg, ast.Constant) for arg in given)
            elif isinstance(node, ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef) and node not in found.nodes:
                found.nodes.append(node)

    def _called(self, function: ast.expr, found: _Definition) -> None:
        if isinstance(function, ast.Name):
            found.calls.add(self.imports.get(function.id, (self.module, function.id)))
        elif isinstance(function, ast.Attribute):
            found.calls.update(self._symbols(function))

    def _attribute(self, node: ast.Attribute, found: _Definition) -> None:
        symbols = self._symbols(node)
        found.mentions.update(symbols)
        if not symbols or symbols[0][0] != self.module:
            found.attributes.add(node.attr)

    def _symbols(self, node: ast.Attribute) -> list[Symbol]:
        """Return what an attribute of a module or of the object itself is; nothing for other objects."""
        parts: list[str] = []
        value: ast.expr = node.value
        while isinstance(value, ast.Attribute):
            parts.append(value.attr)
            value = value.value
        if isinstance(value, ast.Name) and value.id in {"self", "cls"}:
            return [(self.module, node.attr)]
        if not isinstance(value, ast.Name) or value.id not in self.imports:
            return []
        module, name = self.imports[value.id]
        dotted = ".".join([part for part in (module, name) if part] + parts[::-1])
        return [(self.package.find(dotted) or dotted, node.attr)]

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                dotted = alias.name if alias.asname else alias.name.partition(".")[0]
                self.imports[alias.asname or dotted] = (self.package.find(dotted) or dotted, "")
            return
        source = absolute(node, self.module, is_package=self.package.is_package(self.module))
        full = self.package.find(source) or source
        for alias in node.names:
            module = self.package.find(f"{full}.{alias.name}")
            self.imports[alias.asname or alias.name] = (module, "") if module else (full, alias.name)


def _is_alias(value: ast.expr) -> bool:
    """Return whether a value may be a function or an object with methods, not the result of a function."""
    if isinstance(value, ast.Call):
        name = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
        return name == "partial" or (name[:1].isupper() and name not in _WORDS)
    return isinstance(value, ast.Name | ast.Attribute | ast.Lambda | ast.Dict)


def _add(found: _Definition, one: _Definition) -> None:
    found.nodes += [] if one.name else one.nodes
    found.mentions |= one.mentions
    found.attributes |= one.attributes
    found.opens |= one.opens
    found.passes_on |= one.passes_on


def absolute(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    """Return the dotted name of the module from which a statement imports."""
    name = node.module or ""
    if not node.level:
        return name
    parts = module.split(".")
    drop = node.level - 1 if is_package else node.level
    return ".".join([*(parts[: len(parts) - drop] if drop else parts), *([name] if name else [])])
