"""The page of the measurement, docs/explanation/trace.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def write(rows: Sequence[dict[str, Any]]) -> None:
    """Write the page."""
