"""List what one Python source imports, and under which conditions."""

from __future__ import annotations

import ast
import re
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from nixpy.needs.sources.scan import absolute, scan
from nixpy.needs.sources.systems import ALL, systems_not, systems_of

ANY = "*"
"""The last component of a name that only running the code shows: `import_module(f"demo.drivers.{name}")`."""

_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
# A dotted name before the part that is computed, such as `demo.drivers.` or `demo.drivers.%s`.
_PREFIX = re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*)\.(?:%s|\{\w*\})?")
DYNAMIC = re.compile(rb"\b(?:import_module|__import__|load_module|find_spec|import_string)\b")
"""The functions that import a module by its name."""
_IMPORTERS = frozenset(("import_module", "__import__", "load_module", "find_spec", "import_string"))
_CAUGHT = frozenset(("ImportError", "ModuleNotFoundError", "OSError", "Exception", "BaseException"))
_ONE_THREAD = threading.Lock()  # `catch_warnings` is for one thread
_NO_SOURCE = (SyntaxError, ValueError, MemoryError, RecursionError)
_ENDS = (ast.Return, ast.Raise, ast.Continue, ast.Break)


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One module that a source imports.

    The last components of `name` may be attributes of a module, as in `from demo.module import function`. It is
    `certain` if importing the source always imports it, without an `except` for errors around it.
    """

    name: str  # absolute
    certain: bool
    function: bool = False  # in a function, or named by a string: importing the source need not import it
    string: bool = False  # named by a string
    systems: frozenset[str] = ALL


def imports_of(source: bytes, module: str, *, package: bool, tops: Iterable[str]) -> tuple[Import, ...]:
    """Return what a source imports, in the order of its lines.

    Literal strings count if they name a module of the same wheel: frameworks and lazy loaders import these by name.

    Args:
        source: The bytes of the file.
        module: Its dotted name.
        package: It is an `__init__.py`.
        tops: The top-level modules of the wheel, with which absolute names in strings begin.

    Returns:
        The imports, without those for type checkers alone. If this Python cannot parse the source, since it is for
        another version, they are what its lines seem to import, and none is certain.
    """
    try:
        with _ONE_THREAD, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # those about the source, such as an escape sequence that is not valid
            tree = ast.parse(source)
    except _NO_SOURCE:
        return tuple(
            Import(name=one.name, certain=False) for one in scan(source, module, package=package) if not one.quoted
        )
    tops = frozenset(tops)
    reader = _Reader(module=module, package=package, tops=tops, computes=DYNAMIC.search(source) is not None)
    reader.strings = package or reader.computes or any(f"{top}.".encode() in source for top in tops)
    with suppress(RecursionError):  # too many levels of expressions; what comes before is found
        reader.block(tree.body, _Place())
    return tuple(reader.found)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a statement is."""

    certain: bool = True
    function: bool = False
    string: bool = False
    systems: frozenset[str] = ALL


@dataclass(slots=True, kw_only=True)
class _Reader:
    module: str
    package: bool
    tops: frozenset[str]
    computes: bool  # the source imports modules by names that it computes
    strings: bool = True  # its strings may name modules
    found: list[Import] = field(default_factory=list)

    def block(self, statements: Sequence[ast.stmt], place: _Place) -> None:
        for statement in statements:
            if not place.systems:
                return
            self.statement(statement, place)
            # `if sys.platform != "linux": raise ImportError`: what follows runs on Linux alone.
            if isinstance(statement, ast.If) and not statement.orelse and _ends(statement.body):
                others = systems_not(statement.test)
                if others is not None:
                    place = replace(place, systems=place.systems & others)

    def statement(self, node: ast.stmt, place: _Place) -> None:
        unsure = replace(place, certain=False)
        match node:
            case ast.Import():
                for alias in node.names:
                    self.add(alias.name, place)
            case ast.ImportFrom():
                base = self.absolute("." * node.level + (node.module or ""))
                for alias in node.names if base else ():
                    self.add(base if alias.name == "*" else f"{base}.{alias.name}", place)
            case ast.If():
                self.condition(node, place)
            case ast.Try() | ast.TryStar():
                guarded = any(_catches(handler.type) and not _ends(handler.body) for handler in node.handlers)
                self.block(node.body, unsure if guarded else place)
                for handler in node.handlers:
                    self.block(handler.body, unsure)
                self.block(node.orelse, unsure if guarded else place)
                self.block(node.finalbody, place)
            case ast.With() | ast.AsyncWith():
                suppresses = any(_name(call.func) == "suppress" for call in _calls(node.items))
                self.block(node.body, unsure if suppresses else place)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.block(node.body, replace(place, certain=False, function=True))
                self.expressions(node.decorator_list, place)
            case ast.ClassDef():
                self.block(node.body, place)
            case ast.For() | ast.AsyncFor() | ast.While():
                self.block(node.body, unsure)
                self.block(node.orelse, unsure)
                self.expressions([node.test if isinstance(node, ast.While) else node.iter], place)
            case ast.Match():
                for one in node.cases:
                    self.block(one.body, unsure)
            case ast.Expr(value=ast.Constant()):  # a docstring
                pass
            case _:
                self.expressions([node], place)

    def condition(self, node: ast.If, place: _Place) -> None:
        self.expressions([node.test], place)
        if _is_type_checking(node.test):
            self.block(node.orelse, place)
            return
        if isinstance(node.test, ast.UnaryOp) and _is_type_checking(node.test.operand):
            self.block(node.body, place)
            return
        here, there = systems_of(node.test), systems_not(node.test)
        if here is None or there is None:
            unsure = replace(place, certain=False)
            self.block(node.body, unsure)
            self.block(node.orelse, unsure)
            return
        # On a system where both branches may run, neither is certain.
        certain = place.certain and not here & there
        self.block(node.body, replace(place, certain=certain, systems=place.systems & here))
        self.block(node.orelse, replace(place, certain=certain, systems=place.systems & there))

    def expressions(self, nodes: Iterable[ast.AST], place: _Place) -> None:
        for node in nodes if self.strings else ():
            for part in ast.walk(node):
                if isinstance(part, ast.Call) and _name(part.func) in _IMPORTERS and part.args:
                    self.call(part, place)
                elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                    self.string(part.value, place)

    def call(self, node: ast.Call, place: _Place) -> None:
        """Add the module of `import_module("demo.module")`."""
        base = self.anchor(node.args[1] if len(node.args) > 1 else None)
        name = _literal(node.args[0])
        if name.startswith("."):
            name = absolute(name, base)
        elif not isinstance(node.args[0], ast.Constant):
            return
        if _DOTTED.fullmatch(name.removesuffix(f".{ANY}")):
            self.add(name, replace(place, certain=place.certain and isinstance(node.args[0], ast.Constant)))

    def anchor(self, node: ast.expr | None) -> str:
        """Return the package that `import_module` of a relative name is given."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        own = self.absolute(".")
        return self.module if isinstance(node, ast.Name) and node.id == "__name__" else own

    def string(self, text: str, place: _Place) -> None:
        """Add the module that a literal string names."""
        text = text.partition(":")[0]
        named = replace(place, certain=False, function=True, string=True)
        if _DOTTED.fullmatch(text):
            if "." in text and text.partition(".")[0] in self.tops:
                self.add(text, named)
            elif self.package:
                self.add(f"{self.module}.{text}", named)
        elif text.startswith(".") and self.package and _DOTTED.fullmatch(text[1:]):
            self.add(self.module + text, named)
        elif self.computes and (prefix := _PREFIX.fullmatch(text)) and prefix[1].partition(".")[0] in self.tops:
            self.add(f"{prefix[1]}.{ANY}", named)

    def absolute(self, name: str) -> str:
        """Return the absolute name of a relative one; empty if it leaves the package."""
        return absolute(name, self.module if self.package else self.module.rpartition(".")[0])

    def add(self, name: str, place: _Place) -> None:
        if name and place.systems:
            self.found.append(
                Import(
                    name=name,
                    certain=place.certain,
                    function=place.function,
                    string=place.string,
                    systems=place.systems,
                )
            )


def _literal(node: ast.expr) -> str:
    """Return a string literal; if its end is computed, `*` replaces the end."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]) | ast.BinOp(left=ast.Constant(value=str(text))):
            return _prefix(text)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
            return _prefix(text)
        case _:
            return ""


def _prefix(text: str) -> str:
    start = text.partition("%")[0].partition("{")[0]
    return f"{start}{ANY}" if start.endswith(".") else ""


def _ends(body: Sequence[ast.stmt]) -> bool:
    """Return whether nothing after these statements runs."""
    last = body[-1]
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
        return _name(last.value.func) in ("exit", "_exit", "skip")
    return isinstance(last, _ENDS)


def _catches(node: ast.expr | None) -> bool:
    if node is None:
        return True
    return any(_name(part) in _CAUGHT for part in (node.elts if isinstance(node, ast.Tuple) else [node]))


def _is_type_checking(node: ast.expr) -> bool:
    return _name(node) == "TYPE_CHECKING" or (isinstance(node, ast.Constant) and not node.value)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _calls(items: Iterable[ast.withitem]) -> Iterator[ast.Call]:
    return (item.context_expr for item in items if isinstance(item.context_expr, ast.Call))
