"""Parse expressions for a package of nixpkgs.

An expression is `pkgs.a.b`, or has alternatives if an attribute was renamed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from nixpy.core.target import LINUX_SYSTEMS

_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
_PATH = rf"pkgs(?:\.{_NAME})+"
_EXPRESSION = re.compile(rf"{_PATH}|\({_PATH}(?: or {_PATH})+\)")
_KEYWORDS = frozenset({"assert", "else", "if", "in", "inherit", "let", "or", "rec", "then", "with"})


@lru_cache(maxsize=1024)
def attributes(expression: str) -> tuple[str, ...]:
    """Return the attribute paths below `pkgs` that `expression` tries in turn.

    The grammar is `pkgs.a.b` or `(pkgs.a.b or pkgs.c …)`; ValueError for anything else.
    """
    if not _EXPRESSION.fullmatch(expression):
        raise ValueError(f"{expression!r} is not pkgs.a.b or (pkgs.a.b or pkgs.c)")
    paths = tuple(path.removeprefix("pkgs.") for path in expression.strip("()").split(" or "))
    for path in paths:
        if words := _KEYWORDS.intersection(path.split(".")):
            raise ValueError(f"{min(words)!r} is a word of the Nix language, not an attribute")
    return paths


def quoted(name: str) -> str:
    """Return a name as a part of an attribute path, quoted if necessary.

    The name has no special characters.
    """
    return name if re.fullmatch(_NAME, name) and name not in _KEYWORDS else f'"{name}"'


def condition(systems: Sequence[str], every: Iterable[str]) -> str:
    """Return the Nix condition for some systems of a project.

    `every` are all its systems. The condition can be an argument of a function.

    The condition is `isLinux` for exactly the Linux systems, else it names them: `(system == "aarch64-darwin")`.
    """
    if tuple(systems) == tuple(sorted(set(every) & set(LINUX_SYSTEMS))):
        return "isLinux"
    if len(systems) == 1:
        return f'(system == "{systems[0]}")'
    names = " ".join(f'"{system}"' for system in systems)
    return f"(lib.elem system [ {names} ])"
