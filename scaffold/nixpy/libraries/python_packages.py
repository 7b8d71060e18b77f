"""Which package of nixpkgs' own Python set is a PyPI project: for shells that install no wheels.

`python-packages.csv` names the attribute of each project. It holds only attributes that every nixpkgs from
24.11 on has without a warning (pkgs/top-level/python-packages.nix and python-aliases.nix); where a rename
came between, both spellings stand there, the new one first: `new or old`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from packaging.utils import canonicalize_name

from nixpy.errors import NixpyError

_TABLE = Path(__file__).with_name("python-packages.csv")
_HEADER = ["pypi", "attribute"]
# An identifier of the Nix language: what needs no quotes after a dot.
_ATTRIBUTE = re.compile(r"[A-Za-z_][A-Za-z0-9_'-]*")


def attribute(name: str) -> str | None:
    """Return the Nix expression over `ps` for a PyPI project of whatever spelling, None if none is known.

    It is `ps.numpy`, or `(ps.new or ps.old)` where the name changed, as `withPackages (ps: [ … ])` wants it.
    """
    spellings = _table().get(canonicalize_name(name))
    if spellings is None:
        return None
    expression = " or ".join(f"ps.{spelling}" for spelling in spellings)
    return f"({expression})" if len(spellings) > 1 else expression


@cache
def _table() -> Mapping[str, tuple[str, ...]]:
    return load(_TABLE)


def load(path: Path) -> dict[str, tuple[str, ...]]:
    """Return the attributes of each normalised PyPI name (PEP 503), the newest spelling first.

    The file is sorted by name and names nothing twice; NixpyError has the line of what is otherwise.
    """
    table: dict[str, tuple[str, ...]] = {}
    last = ""
    with path.open(encoding="utf-8", newline="") as file:
        for line, row in enumerate(csv.reader(file, strict=True), 1):
            if line == 1 and row == _HEADER:
                continue
            name = row[0] if len(row) == 2 else ""
            spellings = tuple(row[1].split(" or ")) if name else ()
            valid = all(map(_ATTRIBUTE.fullmatch, spellings))
            if not valid or not name or canonicalize_name(name) != name or name <= last:
                message = f"{','.join(row)!r} is no normalised PyPI name with an attribute, or out of order"
                hint = "write pypi,attribute sorted by pypi"
                raise NixpyError(message, hint=hint, path=path, line=line)
            last = name
            table[name] = spellings
    return table
