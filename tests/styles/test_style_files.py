"""style.toml and feature.toml have no key and no value that nixpy does not know, so that a misspelt one is seen."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from nixpy.core import templates
from nixpy.styles.styles import styles

REQUIRED = {"title", "summary", "how", "document", "aliases", "order", "promises", "tradeoffs"}
OPTIONAL = {
    "build-programs": {True, False},
    "folder": None,
    "has-project": {True, False},
    "inputs": None,
    "instead": None,
    "limits": None,
    "once": None,
    "opens-libraries": {True, False},
    "packages": {"nixpkgs"},
    "project": {"always", "packaged"},
    "reads": None,
    "sources": {True, False},
    "tools": None,
    "venv-in-root": {True, False},
    "wheels": {"all"},
}
INSTEAD = {"newer-nixpkgs", "no-flake", "open-libraries"}
PROMISES = {"executables", "leak-free", "darwin", "ide", "direnv", "host"}
FEATURE = {"title", "summary", "cost", "document"}
FEATURE_OPTIONAL = {
    "answers-find-library",
    "driver",
    "inputs",
    "modules",
    "reason",
    "packages",
    "replaces-executables",
    "styles",
    "wheels",
}
STYLES = sorted(templates.path("styles").glob("*/style.toml"))
FEATURES = sorted(templates.path("features").glob("*/feature.toml"))


def folder(path: Path) -> str:
    """Return the name of what a file describes."""
    return path.parent.name


def read(path: Path) -> dict[str, Any]:
    """Return the tables of a file."""
    return tomllib.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("path", STYLES, ids=folder)
def test_a_style_says_nothing_unknown(path: Path) -> None:
    """Each key and each of its values is known, and no required key is missing."""
    data = read(path)
    assert data.keys() >= REQUIRED
    assert data.keys() <= REQUIRED | OPTIONAL.keys()
    for key, values in OPTIONAL.items():
        assert values is None or key not in data or data[key] in values, key
    assert {"executables", "leak-free", "darwin", "host"} <= data["promises"].keys() <= PROMISES
    assert data["tradeoffs"].keys() == {"good", "bad"}
    assert data.get("instead", {}).keys() <= INSTEAD
    assert {name for names in data.get("instead", {}).values() for name in names} <= {style.name for style in styles()}
    assert all(item.keys() == {"url", "follows"} for item in data.get("inputs", {}).values())


@pytest.mark.parametrize("path", FEATURES, ids=folder)
def test_a_feature_says_nothing_unknown(path: Path) -> None:
    """Each key is known, no required key is missing, and it names only styles that exist."""
    data = read(path)
    assert FEATURE <= data.keys() <= FEATURE | FEATURE_OPTIONAL
    assert set(data.get("styles", ())) <= {style.name for style in styles()}
    assert all(item.keys() == {"name", "variables"} for item in data.get("wheels", ()))


def test_no_two_styles_have_a_spelling_in_common() -> None:
    """A name or another spelling of a style means that style alone."""
    spellings = Counter(text.lower() for style in styles() for text in (style.name, *style.aliases))
    assert [text for text, count in spellings.items() if count > 1] == []
