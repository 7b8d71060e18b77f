"""The page of results says what was seen in this very run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from nixos.box.conftest import STYLES
from nixos.box.observe import Observed
from nixos.box.results import document, stable

PAGE = Path(__file__).parents[3] / "docs/nixos-box.md"


def test_the_page_is_what_was_seen(observed_of: Callable[[str], Observed]) -> None:
    """docs/nixos-box.md is what these results render to, but for the day and the versions of the machine's tools."""
    seen = document([observed_of(name) for name in STYLES])
    if "NIXPY_WRITE_RESULTS" in os.environ:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(seen)
    assert stable(PAGE.read_text()) == stable(seen)
