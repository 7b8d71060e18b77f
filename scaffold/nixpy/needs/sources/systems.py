"""Derive the systems on which a branch of a Python source runs from its test.

The value of the platform may come from anywhere: `sys.platform`, a function, or a constant of another module. What it
is compared with shows that it is one: `x == "win32"` is false on Linux and macOS, whatever `x` is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from nixpy.core.target import SYSTEMS

DARWIN = frozenset(system for system in SYSTEMS if system.endswith("-darwin"))
LINUX = frozenset(SYSTEMS) - DARWIN
ALL = DARWIN | LINUX
NONE: frozenset[str] = frozenset()

# Values of sys.platform, os.name and platform.system(), and common spellings of packages, in lower case.
_VALUES = {
    **dict.fromkeys(("linux", "linux2", "linux3", "gnu/linux"), LINUX),
    **dict.fromkeys(("darwin", "macos", "macosx", "mac", "osx", "mac os x"), DARWIN),
    **dict.fromkeys(("posix", "unix"), ALL),
    **dict.fromkeys(("win", "win32", "win64", "windows", "nt", "cygwin", "msys", "java", "ce", "os2"), NONE),
    **dict.fromkeys(("freebsd", "openbsd", "netbsd", "dragonfly", "sunos", "solaris", "aix", "android"), NONE),
    **dict.fromkeys(("ios", "emscripten", "wasi", "cli", "riscos", "haiku", "amiga"), NONE),
}
_FIXED = re.compile(r"win|cyg|java|freebsd|openbsd|netbsd|sunos|aix|darwin|linux|mac|nt$")
# `IS_WINDOWS`, `is_mac()`, `on_linux`: a name that has no other words. `LINUX` alone is one, too.
_FILLERS = frozenset(("is", "on", "running", "platform", "system", "os", "sys", "py", ""))
_NAMED = {
    **dict.fromkeys(("linux",), LINUX),
    **dict.fromkeys(("darwin", "mac", "macos", "macosx", "osx"), DARWIN),
    **dict.fromkeys(("posix", "unix"), ALL),
    **dict.fromkeys(("windows", "win", "win32", "cygwin", "nt", "wasm", "emscripten", "android", "ios"), NONE),
}


def systems_of(test: ast.expr) -> frozenset[str] | None:
    """Return the systems on which a condition is true.

    None if it is about something else. For example, `sys.platform.startswith("linux")` gives both Linux systems. A
    condition that also has other parts gives the systems on which it may be true: `sys.platform == "linux" and x`.
    """
    bounds = _bounds(test)
    return None if bounds == (NONE, ALL) else bounds[1]


def systems_not(test: ast.expr) -> frozenset[str] | None:
    """Return the systems on which a condition may be false, like `systems_of`."""
    bounds = _bounds(test)
    return None if bounds == (NONE, ALL) else ALL - bounds[0]


def _bounds(test: ast.expr) -> tuple[frozenset[str], frozenset[str]]:
    """Return the systems on which a condition must be true, and those where it may be."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        sure, maybe = _bounds(test.operand)
        return ALL - maybe, ALL - sure
    if isinstance(test, ast.BoolOp):
        bounds = [_bounds(value) for value in test.values]
        both = isinstance(test.op, ast.And)
        sure, maybe = (
            frozenset.intersection(*sets) if both else frozenset.union(*sets) for sets in zip(*bounds, strict=True)
        )
        return sure, maybe
    found = _exact(test)
    return (NONE, ALL) if found is None else (found, found)


def _exact(test: ast.expr) -> frozenset[str] | None:
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _compared(test.left, test.ops[0], test.comparators[0])
    if isinstance(test, ast.Call):
        if isinstance(test.func, ast.Attribute) and test.func.attr == "startswith" and len(test.args) == 1:
            return _starting(_strings(test.args[0]))
        return _by_name(test.func) if not test.args and not test.keywords else None
    return _by_name(test)


def _compared(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> frozenset[str] | None:
    values = _strings(right) if not isinstance(left, ast.Constant) else _strings(left)
    if not values:
        return None
    known = [_VALUES.get(value.lower()) for value in values]
    if isinstance(operator, ast.In | ast.NotIn) and isinstance(left, ast.Constant):  # `"linux" in sys.platform`
        found = _containing(values[0])
    elif None in known:
        return None
    else:
        found = frozenset().union(*(systems for systems in known if systems))
    if found is None or not isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn):
        return None
    return found if isinstance(operator, ast.Eq | ast.In) else ALL - found


def _containing(part: str) -> frozenset[str] | None:
    # `"win" in sys.platform` is true for darwin as well.
    return ALL & (DARWIN | NONE) if part == "win" else _VALUES.get(part.lower())


def _starting(starts: Iterable[str]) -> frozenset[str] | None:
    found = NONE
    starts = [start.lower() for start in starts]
    if not starts or not all(_FIXED.match(start) for start in starts):
        return None
    for start in starts:
        found |= LINUX if "linux".startswith(start) else NONE
        found |= DARWIN if "darwin".startswith(start) or start.startswith("mac") else NONE
    return found


def _strings(node: ast.expr) -> list[str]:
    """Return the string literals of an expression; none if it has anything else."""
    items = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    found = [item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    return found if len(found) == len(items) else []


def systems_of_name(name: str) -> frozenset[str]:
    """Return the systems that a module is for, by a name such as `_darwin`."""
    found = _by_name(ast.Name(id=name))
    return ALL if found is None else found


def _by_name(node: ast.expr) -> frozenset[str] | None:
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    words = [word for word in name.lower().split("_") if word not in _FILLERS]
    if not words and name.lower().startswith("is"):
        return None
    if len(words) == 1:
        return _NAMED.get(words[0], _NAMED.get(words[0].removeprefix("is")))
    return None
