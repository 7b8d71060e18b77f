"""Map external dependencies to packages of nixpkgs.

The map is `nix.mapping.json`, in the form of PEP 804.

`specs` are attributes of nixpkgs or expressions as in the catalogue (`(pkgs.new or pkgs.old)`), which evaluate on every
release that nixpy supports. An id with several entries has several providers; the first is the default.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nixpy.external.depurl import Dependency, parse
from nixpy.external.table import Role
from nixpy.nixpkgs.expression import attributes

_TABLE = Path(__file__).with_name("nix.mapping.json")
_CATEGORIES: tuple[Role, ...] = ("build", "host", "run")


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingEntry:
    """The provider of a dependency.

    It has Nix expressions for each role, and the sonames of its libraries.

    `given`: every shell has it.
    """

    expressions: Mapping[Role, tuple[str, ...]]
    sonames: tuple[str, ...] = ()
    given: bool = False


def expression(text: str) -> str:
    """Return the Nix expression for an attribute path or an expression.

    Expressions have the form of those in the catalogue.

    Raises ValueError for any other text.
    """
    found = text if text.startswith(("pkgs.", "(")) else f"pkgs.{text}"
    attributes(found)
    return found


@cache
def mapping_entries() -> Mapping[str, tuple[MappingEntry, ...]]:
    """Return the providers of each id, the default one first."""
    return _load(_TABLE)


def _load(path: Path) -> dict[str, tuple[MappingEntry, ...]]:
    """Return the mapping in `path`; ValueError if it has an invalid id or expression."""
    document = json.loads(path.read_text("utf-8"))
    found: dict[str, tuple[MappingEntry, ...]] = {}
    for entry in document["mappings"]:
        key = parse(entry["id"]).qualified
        if "specs_from" in entry:
            found[key] = found[parse(entry["specs_from"]).qualified]
        else:
            found[key] = (*found.get(key, ()), _provider(entry))
    return found


def find(dependency: Dependency) -> tuple[MappingEntry, ...]:
    """Return the providers of a dependency; empty if it is not known to be in nixpkgs."""
    known = mapping_entries()
    return known.get(dependency.qualified) or known.get(dependency.id, ())


def _provider(entry: Mapping[str, Any]) -> MappingEntry:
    specs, more = entry["specs"], entry.get("extra_metadata", {}).get("nixpy", {})
    by_role = specs if isinstance(specs, dict) else dict.fromkeys(_CATEGORIES, specs)
    return MappingEntry(
        expressions={
            role: tuple(map(expression, [texts] if isinstance(texts, str) else texts))
            for role in _CATEGORIES
            if (texts := by_role.get(role, []))
        },
        sonames=tuple(more.get("sonames", ())),
        given=more.get("given", False),
    )
