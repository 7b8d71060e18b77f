"""Read `run-time.csv`, which lists needs of packages that no library satisfies.

They are programs that a package downloads, and modules that the Python of nixpkgs lacks.

Columns: `package` (normalised name), `need`, `feature` or `packages` of nixpkgs that supply it, `unless` (packages that
supply it, too), `also` (what the user must do besides), and `note` (how it is known, for which version).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from packaging.utils import is_normalized_name

from nixpy.core.csv_table import bad_row, rows
from nixpy.core.errors import NixpyError
from nixpy.nixpkgs.expression import attributes
from nixpy.styles import features

DATA = Path(__file__).with_name("run-time.csv")
_COLUMNS = ("package", "need", "feature", "packages", "unless", "also", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTimeNeed:
    """A need of one package; `feature`, or else `packages` of nixpkgs, supplies it."""

    need: str
    feature: str | None = None
    packages: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    also: str = ""


@cache
def needs() -> Mapping[str, RunTimeNeed]:
    """Return the rows of the table by package."""
    return load(DATA)


def load(path: Path) -> Mapping[str, RunTimeNeed]:
    """Read a table strictly.

    Raises NixpyError, naming file and line, for an unknown column or feature, a name that is not normalised (PEP 503),
    packages that are not attributes, a row with both a feature and packages or none, and a missing note.
    """
    return {fields[0]: _row(fields, path, line) for line, fields in rows(path, *_COLUMNS)}


def _row(fields: list[str], path: Path, line: int) -> RunTimeNeed:
    package, need, feature, packages, unless, also, note = fields
    for name in (package, *unless.split()):
        if not is_normalized_name(name):
            raise bad_row(path, line, f"{name!r} is not a normalised name", "Normalise the name as PEP 503 defines.")
    if not need or not note:
        raise bad_row(path, line, "the need or the note is missing", "Say what is needed, and how it is known.")
    if bool(feature) == bool(packages):
        raise bad_row(path, line, "the row has both a feature and packages, or none", "Write one of them.")
    try:
        if feature:
            features.find(feature)
        for name in packages.split():
            attributes(f"pkgs.{name}")
    except (NixpyError, ValueError) as error:
        raise bad_row(path, line, str(error), "Write a feature, or attributes of nixpkgs.") from error
    return RunTimeNeed(
        need=need,
        feature=feature or None,
        packages=tuple(packages.split()),
        unless=tuple(unless.split()),
        also=also,
    )
