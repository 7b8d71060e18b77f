"""Read the meaning and the remedy of each diagnostic code from `codes.csv`.

A diagnostic is about one project; a row of the table is about all diagnostics with its code. The documentation and the
rules in SARIF are generated from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nixpy.core import csv_table

_TABLE = Path(__file__).with_name("codes.csv")


@dataclass(frozen=True, slots=True)
class Explanation:
    """One code: its meaning and remedy, as Markdown, and its page."""

    code: str
    meaning: str
    remedy: str
    page: str


@cache
def explanations() -> Mapping[str, Explanation]:
    """Return the explanation of every code that nixpy can report."""
    rows = csv_table.rows(_TABLE, "code", "meaning", "remedy", "page")
    return {row[0]: Explanation(*row) for _, row in rows}
