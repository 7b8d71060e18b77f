"""Map PyPI projects to packages of nixpkgs' Python set.

Shells that install no wheels use these.

`python-packages.csv` names the attribute of each project. It has only attributes that every nixpkgs from 24.11 on has
without a warning (pkgs/top-level/python-packages.nix and python-aliases.nix). For a renamed attribute it has both
spellings, the new one first: `new or old`.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from packaging.utils import canonicalize_name, is_normalized_name

from nixpy.core.csv_table import bad_row, rows

_TABLE = Path(__file__).with_name("python-packages.csv")
# An identifier of the Nix language, which needs no quotes after a dot.
_ATTRIBUTE = re.compile(r"[A-Za-z_][A-Za-z0-9_'-]*")
_KEYWORDS = frozenset({"assert", "else", "if", "in", "inherit", "let", "or", "rec", "then", "with"})


def attribute(name: str) -> str | None:
    """Return the Nix expression over `ps` for a PyPI project in any spelling, or None.

    Returns None if it is unknown.

    It is `ps.numpy`, or `(ps.new or ps.old)` if the name changed, for use in `withPackages (ps: [ … ])`.
    """
    known = spellings(name)
    expression = " or ".join(f"ps.{spelling}" for spelling in known)
    return f"({expression})" if len(known) > 1 else expression or None


def spellings(name: str) -> tuple[str, ...]:
    """Return the known attributes of a PyPI project, the newest first."""
    return _table().get(canonicalize_name(name), ())


def spelled(name: str) -> str:
    """Return the attribute of a PyPI project as text: `toolz`, or `new or old`.

    For an unknown project, it is the name, as an identifier.
    """
    return " or ".join(spellings(name) or (identifier(name),))


def is_attribute(name: str) -> bool:
    """Return whether `name` is known to be an attribute of the Python set."""
    return name in _spellings()


def identifier(name: str) -> str:
    """Return a name as nixpkgs spells it if the name is not a Nix identifier: `_3to2`."""
    return name if _ATTRIBUTE.fullmatch(name) and name not in _KEYWORDS else f"_{name}"


@cache
def _spellings() -> frozenset[str]:
    return frozenset(spelling for spellings in _table().values() for spelling in spellings)


@cache
def _table() -> Mapping[str, tuple[str, ...]]:
    return load(_TABLE)


def load(path: Path) -> dict[str, tuple[str, ...]]:
    """Return the attributes of each normalised PyPI name (PEP 503).

    The newest spelling is the first.

    The file is sorted by name, without duplicates; else NixpyError with the line.
    """
    table: dict[str, tuple[str, ...]] = {}
    for line, (name, text) in rows(path, "pypi", "attribute"):
        spellings = tuple(text.split(" or "))
        if not is_normalized_name(name) or not all(map(_ATTRIBUTE.fullmatch, spellings)):
            message = f"{name},{text} is not a normalised PyPI name with an attribute"
            raise bad_row(
                path, line, message, "Normalise the name as PEP 503 defines, and write the attribute as `new or old`."
            )
        table[name] = spellings
    return table


def neighbours(name: str) -> tuple[str | None, str | None]:
    """Return the attributes before and after `name`.

    The list of all known attributes is sorted.
    """
    names = sorted(_spellings() - {name})
    place = bisect(names, name)
    return (names[place - 1] if place else None), (names[place] if place < len(names) else None)


def unknown_package(name: str) -> str:
    """Return what to do about a package that is not known to be in nixpkgs."""
    return f"Package it: `nixpy package {name}`."
