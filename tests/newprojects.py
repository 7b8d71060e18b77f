"""New projects for tests, by `nixpy new`."""

from __future__ import annotations

from pathlib import Path

from nixpy.managers import NAMES as MANAGERS
from runner import Nixpy

__all__ = ["MANAGERS", "made"]


def made(nixpy: Nixpy, folder: Path, style: str, manager: str, *, python: str = "3.13") -> Path:
    """A new project in `folder`, with what else is asked by default."""
    ran = nixpy("new", folder, "--defaults", "--style", style, "--manager", manager, "--python", python)
    assert ran.status == 0, ran.err
    return folder
