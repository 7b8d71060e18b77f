"""The table of what packages need at run time: each row leads to a feature, or to packages of every nixpkgs release."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from nixpy.core.errors import NixpyError
from nixpy.styles import run_time
from nixpy.styles.features import features

HEAD = "package,need,feature,packages,unless,also,note\n"
JUDGE = Path(__file__).parents[1] / "nixos" / "attributes.csv"


def test_packages_are_in_every_release() -> None:
    """Each release of nixpkgs has every named package, by the table that judges nixpy's own."""
    with JUDGE.open(newline="") as file:
        judged = {row["attribute"]: {*row.values()} - {row["attribute"]} for row in csv.DictReader(file)}
    named = {name for need in run_time.needs().values() for name in need.packages}
    assert named
    assert [name for name in named if judged.get(name) != {"has"}] == []


def test_each_feature_for_run_time_has_packages() -> None:
    """A feature with modules, or for downloads, is named by a row; the module is the need of all its rows."""
    table = run_time.needs().values()
    assert {need.feature for need in table if need.feature} == {"cuda", "playwright", "tkinter"}
    for feature in features():
        assert {need.need for need in table if need.feature == feature.name} <= {
            *feature.modules[:1],
            "browsers",
            "the driver",
        }


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("A_b,x,tkinter,,,,n", "not a normalised name"),
        ("a,x,tkinter,,B_c,,n", "not a normalised name"),
        ("a,,tkinter,,,,n", "the need or the note is missing"),
        ("a,x,tkinter,,,,", "the need or the note is missing"),
        ("a,x,,,,,n", "both a feature and packages, or none"),
        ("a,x,tkinter,git,,,n", "both a feature and packages, or none"),
        ("a,x,tk,,,,n", "there is no feature `tk`"),
        ("a,x,,a b;c,,,n", "."),
        ("b,x,,git,,,n\na,x,,git,,,n", "comes after"),
    ],
)
def test_a_wrong_row_is_an_error_with_its_line(row: str, words: str, tmp_path: Path) -> None:
    """The table is read strictly."""
    table = tmp_path / "table.csv"
    table.write_text(f"{HEAD}{row}\n")
    with pytest.raises(NixpyError, match=words) as caught:
        run_time.load(table)
    assert caught.value.line == row.count("\n") + 2
