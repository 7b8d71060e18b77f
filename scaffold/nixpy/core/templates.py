"""Find the templates, and read the data in them.

copier reads the same data.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any


def root() -> Path:
    """Return the folder that contains `templates` and copier.yml.

    It is the installed package, or the top of a checkout.

    The tests replace this function to add a style or a feature, so call it as `templates.root()`.
    """
    package = Path(__file__).parents[1]
    return package if (package / "templates").is_dir() else package.parents[1]


def path(*parts: str) -> Path:
    """Return a path below `templates`."""
    return root().joinpath("templates", *parts)


def data(name: str) -> dict[str, Any]:
    """Return the data of a JSON file in `templates`."""
    return _loaded(path(name))


@cache
def _loaded(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found
