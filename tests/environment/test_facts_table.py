"""`templates/facts.json`: every fact, in the order in which they are rendered."""

from __future__ import annotations

import pytest

from nixpy.core import templates
from nixpy.environment.facts import COMMON
from nixpy.styles.styles import Style, styles

TABLE = templates.data("facts.json")


@pytest.mark.parametrize("style", styles(), ids=lambda style: style.name)
def test_the_table_has_what_a_style_takes(style: Style) -> None:
    """Each argument of its Nix function is in the table, and no fact that all styles have."""
    assert style.facts.keys() <= TABLE.keys() - COMMON


def test_the_table_has_no_other_facts() -> None:
    """Each row is a fact that every style has or that some style takes, and has nothing but the two members."""
    taken = {name for style in styles() for name in style.facts}
    assert TABLE.keys() == COMMON | taken
    assert {member for row in TABLE.values() for member in row} == {"comment", "empty"}
