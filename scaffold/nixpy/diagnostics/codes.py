"""What each code of a finding means and what is to be done, from `codes.csv`.

A finding says what is the matter in one project; this is what all findings of a code have in common. The documentation
is made of it, and the rules in SARIF.
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
    """One code: what it means and what to do, as Markdown, and the page of the documentation that tells more."""

    code: str
    meaning: str
    remedy: str
    page: str


@cache
def explanations() -> Mapping[str, Explanation]:
    """Return the explanation of every code that nixpy can report."""
    rows = csv_table.rows(_TABLE, "code", "meaning", "remedy", "page")
    return {row[0]: Explanation(*row) for _, row in rows}
