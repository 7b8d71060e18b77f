"""Find the package of nixpkgs that has the program of a wheel.

With it is the variable that makes the wheel use that program.

`executables.csv` names the attribute for each wheel. If the modules of the wheel start the program themselves, it also
names the environment variable that they read first, and the program for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nixpy.core.csv_table import bad_row, rows
from nixpy.nixpkgs.expression import attributes

_TABLE = Path(__file__).with_name("executables.csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Substitute:
    """A program of nixpkgs: the expression of its package.

    With it is the variable that names the program, if needed.
    """

    expression: str
    variable: str | None
    program: str


@cache
def substitutes() -> Mapping[str, Substitute]:
    """Return the substitute for the programs of each wheel, by its normalised name."""
    found: dict[str, Substitute] = {}
    for line, (wheel, attribute, variable, program, _) in rows(
        _TABLE, "wheel", "attribute", "variable", "program", "note"
    ):
        expression = f"pkgs.{attribute}"
        try:
            attributes(expression)
        except ValueError as error:
            raise bad_row(_TABLE, line, str(error), "Write an attribute of nixpkgs.") from error
        if bool(variable) != bool(program):
            raise bad_row(_TABLE, line, "the row has only one of variable and program", "Write both or none.")
        found[wheel] = Substitute(expression=expression, variable=variable or None, program=program)
    return found
