"""The documents that nixpy implements: each thing they describe has a template, an example, a row in
docs/documents.md and a proof, which is a test that passed in this very run.

documents.csv is the list. A proof of kind `box` is a test that runs what is rendered where there is no /lib, and that
sees it fail once the libraries are taken away; one of kind `evaluated` is about what cannot be run there.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from nixpy.styles.features import features
from nixpy.styles.styles import Style, styles

TOP = Path(__file__).parents[2]
with Path(__file__).with_name("documents.csv").open(newline="") as _file:
    ROWS = list(csv.DictReader(_file))


def test_the_list_is_numbered() -> None:
    """Numbers go up by one, and each row says how its proof was seen."""
    assert [row["number"] for row in ROWS] == [str(number) for number in range(1, len(ROWS) + 1)]
    assert {row["seen"] for row in ROWS} == {"box", "evaluated"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["what"])
def test_each_thing_has_a_template_and_an_example(row: Mapping[str, str]) -> None:
    """Its template is there, and the example is a project with rendered files and a text that a stranger can follow."""
    assert (TOP / row["template"]).exists()
    names = {path.name for path in (TOP / "examples" / row["example"]).iterdir()}
    assert names >= {"README.md", "flake.nix", "nixpy.lock", "nixpy.nix"}


def test_every_style_and_feature_has_an_example() -> None:
    """Each has a folder of its own name, rendered with it."""
    for name in [style.name for style in styles()] + [feature.name for feature in features()]:
        text = (TOP / "examples" / name / "nixpy.nix").read_text()
        settings = (TOP / "examples" / name / "pyproject.toml").read_text()
        assert f"style {name}:" in text or f'features = ["{name}"]' in settings


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["what"])
def test_each_thing_has_a_row_in_the_docs(row: Mapping[str, str]) -> None:
    """The page about the documents has a row with its number that names its example."""
    text = (TOP / "docs/documents.md").read_text()
    found = re.search(rf"^\| {row['number']} \|.*$", text, re.MULTILINE)
    assert found is not None
    assert f"examples/{row['example']}" in found[0]


@pytest.mark.last
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["what"])
def test_each_thing_is_proven(row: Mapping[str, str], outcomes_of: Callable[[str], dict[str, str]]) -> None:
    """Its proof ran and passed in this run, in each of its forms."""
    found = outcomes_of(row["proof"])
    assert found
    assert set(found.values()) == {"passed"}
    assert (row["seen"] == "box") <= row["proof"].startswith("tests/nixos/box/")


@pytest.mark.parametrize("style", styles(), ids=lambda style: style.name)
def test_the_readme_promises_what_a_style_does(style: Style) -> None:
    """The table of styles says of each what its style.toml says, which the box has shown."""
    rows = [line.split("|") for line in (TOP / "README.md").read_text().splitlines() if f"`{style.name}`" in line]
    row = next(cells for cells in rows if len(cells) == 7)
    said = [cell.strip().startswith("yes") for cell in row[2:5]]
    assert said == [style.executables, style.leak_free, style.darwin]
