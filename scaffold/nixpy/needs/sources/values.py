"""Define the values that the evaluation of sources knows.

Strings, numbers, None, lists, tuples, dicts, sets and `PurePosixPath` are those of Python, with values inside. The
classes below are the rest. A value is never an object of the sources that are read: these are not run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

Value = Any

OPTIONS = 40
"""Values of one choice. Wand has 24 spellings of one library."""

CONCRETE = (str, int, float, bytes, tuple, list, dict, set, frozenset, PurePosixPath, type(None))


class Unknown:
    """A value that the sources alone do not determine."""

    def __repr__(self) -> str:
        return "UNKNOWN"


class Missing:
    """The None that find_library returns for a library that is assumed to be missing."""

    def __repr__(self) -> str:
        return "MISSING"


class Loaded:
    """A library that is open."""

    def __repr__(self) -> str:
        return "LOADED"


UNKNOWN = Unknown()
MISSING = Missing()
LOADED = Loaded()


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values, in the order in which the code has them."""

    options: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The file name that find_library returns; `key` is that of the attempt."""

    key: Any


@dataclass(frozen=True, slots=True)
class External:
    """A module, function or class outside the package, by its dotted name, such as `ctypes.CDLL`."""

    name: str


@dataclass(eq=False, slots=True)
class Module:
    """A module of the package. `names` grows while the module is evaluated."""

    name: str
    path: str
    tree: ast.Module
    names: dict[str, Value] = field(default_factory=dict)
    is_package: bool = False
    began: bool = False  # its evaluation


@dataclass(frozen=True, slots=True)
class Later:
    """A name of a module of the package, which is evaluated when the name is used."""

    module: Module
    name: str


@dataclass(eq=False, slots=True)
class Frame:
    """The variables of a module, class or function that is evaluated, and what is known of its end."""

    module: Module
    names: dict[str, Value]
    parent: Frame | None = None  # that of the function around it
    line: int = 0
    column: int = 0
    given: tuple[Value, ...] = ()  # the arguments of the function
    declared_global: set[str] = field(default_factory=set)
    returns: list[Value] = field(default_factory=list)  # values that it may have returned
    yields: list[Value] = field(default_factory=list)
    breaks: list[list[dict[str, Value]]] = field(default_factory=list)  # per loop: variables where it may have ended

    def at(self, node: ast.expr | ast.stmt) -> None:
        """Note the place in the source that is evaluated."""
        self.line, self.column = node.lineno, node.col_offset


@dataclass(eq=False, slots=True)
class Function:
    """A function of the package. `kind` is that of its decorator: staticmethod, classmethod, property or none."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    module: Module
    closure: Frame | None
    defaults: Mapping[str, Value]
    kind: str = ""
    owner: Class | None = None


@dataclass(eq=False, slots=True)
class Bound:
    """A method with its first argument."""

    function: Function
    receiver: Value


@dataclass(eq=False, slots=True)
class Partial:
    """A function with some of its arguments, as functools.partial makes it."""

    function: Value
    args: tuple[Value, ...]
    kwargs: Mapping[str, Value]


@dataclass(eq=False, slots=True)
class Method:
    """A method of a value of Python, such as `"".join`."""

    receiver: Value
    name: str


@dataclass(eq=False, slots=True)
class Class:
    """A class of the package."""

    name: str
    bases: tuple[Value, ...]
    names: dict[str, Value]

    def find(self, name: str, depth: int = 0) -> Value:
        """Return an attribute of the class or of its bases.

        UNKNOWN if only an unknown base can have it.
        """
        if name in self.names:
            return self.names[name]
        for base in self.bases:
            found = base.find(name, depth + 1) if isinstance(base, Class) and depth < 20 else UNKNOWN
            if found is not UNKNOWN:
                return found
        return UNKNOWN

    def externals(self, depth: int = 0) -> tuple[str, ...]:
        """Return the dotted names of its bases outside the package."""
        names: list[str] = []
        for base in self.bases:
            if isinstance(base, External):
                names.append(base.name)
            elif isinstance(base, Class) and depth < 20:
                names += base.externals(depth + 1)
        return tuple(names)


@dataclass(eq=False, slots=True)
class Instance:
    """An object of a class of the package, or one of which only some attributes are known."""

    owner: Class | None
    names: dict[str, Value] = field(default_factory=dict)
    items: tuple[Value, ...] = ()  # by number, as a named tuple has them


def options(value: Value) -> tuple[Value, ...]:
    """Return the options of a choice; other values are their own only option."""
    return value.options if isinstance(value, Choice) else (value,)


def choice(values: Iterable[Value]) -> Value:
    """Return one value for several possible ones, in their order and each once."""
    found: list[Value] = []
    for value in values:
        for option in options(value):
            if len(found) < OPTIONS and not any(_same(option, other) for other in found):
                found.append(option)
    return found[0] if len(found) == 1 else Choice(tuple(found)) if found else UNKNOWN


def _same(first: Value, second: Value) -> bool:
    if first is second:
        return True
    scalar = (str, int, External, Found)
    return isinstance(first, scalar) and type(first) is type(second) and bool(first == second)


def truth(value: Value) -> bool | None:
    """Return whether a value is true; None if that is not known."""
    if isinstance(value, Choice):
        answers = {truth(option) for option in value.options}
        return answers.pop() if len(answers) == 1 else None
    if isinstance(value, Unknown | External | Partial):
        return None
    if isinstance(value, Missing):
        return False
    if isinstance(value, Instance):
        return True if value.owner and not value.owner.externals() and not value.items else None
    return bool(value) if isinstance(value, CONCRETE) else True


def is_known(value: Value) -> bool:
    """Return whether a value is one of Python with no unknown part, at most two levels deep."""
    if isinstance(value, list | tuple | set | frozenset):
        return all(isinstance(item, CONCRETE) for item in value)
    return isinstance(value, CONCRETE)
