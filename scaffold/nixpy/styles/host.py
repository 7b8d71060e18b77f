"""Read the needs of styles on the host besides Nix from `host-needs.csv`.

The table also has the setting that supplies each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nixpy.core import csv_table
from nixpy.core.errors import InternalError

_TABLE = Path(__file__).with_name("host-needs.csv")
FLAKES = "flakes"


@dataclass(frozen=True, slots=True)
class HostSetting:
    """A setting of a host, or a command, that supplies a need.

    `where` names the hosts, or the file.
    """

    where: str
    setting: str


@dataclass(frozen=True, slots=True)
class HostNeed:
    """One need of a style on the host, such as nix-ld.

    If no setting is named, every host has it.
    """

    name: str
    title: str
    settings: tuple[HostSetting, ...]


@cache
def host_needs() -> Mapping[str, HostNeed]:
    """Return every need of the table by its name.

    Raises NixpyError, with the line, for a table that is not valid.
    """
    found: dict[str, HostNeed] = {}
    for _, (name, where, title, setting) in csv_table.rows(_TABLE, "name", "where", "need", "setting", keys=2):
        before = found[name].settings if name in found else ()
        found[name] = HostNeed(name, title, (*before, HostSetting(where, setting)))
    return found


def find(name: str) -> HostNeed:
    """Return the need `name`; NixpyError if the table does not have it."""
    known = host_needs()
    if name not in known:
        raise InternalError(
            f"there is no host need `{name}`", hint=f"Add a row to {_TABLE.name}. The needs are {', '.join(known)}."
        )
    return known[name]


def in_words(needs: tuple[HostNeed, ...]) -> str:
    """Return the needs in words: `user namespaces`, or `nothing`."""
    return " and ".join(need.title for need in needs) or "nothing"
