"""Mechanism is written in Nix, so little Jinja prints Nix: facts, the user's own flake files, and packages."""

from __future__ import annotations

from pathlib import Path

TEMPLATES = Path(__file__).parents[2] / "templates"
LIMIT = 450


def test_little_jinja_prints_nix() -> None:
    """All templates that print Nix or a part of it, the macros and what flakes and direnv read have few lines together.

    The files of a new project that are not Nix do not count, and the text in `templates/nix` is no Jinja.
    """
    jinja = [path for path in TEMPLATES.rglob("*.jinja") if path.is_file()]
    elsewhere = {"project", "once"}
    printing = [
        path
        for path in jinja
        if path.relative_to(TEMPLATES).parts[0] not in elsewhere or path.name.endswith(".nix.jinja")
    ]
    lines = {path.name: len(path.read_text("utf-8").splitlines()) for path in printing}
    assert {"_nix.jinja", "nixpy.nix.jinja", "flake.nix.jinja", "lines.jinja", "default.nix.jinja"} <= lines.keys()
    assert sum(len(path.read_text("utf-8").splitlines()) for path in printing) <= LIMIT, lines
    assert not [path for path in (TEMPLATES / "nix").rglob("*") if path.suffix == ".jinja"]
