"""nixpy's own flake."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

from nixos.realnix import evaluate, warnings
from nixos.rfc166 import violations

TOP = Path(__file__).parents[2]


def test_it_evaluates_and_is_formatted(tmp_path: Path) -> None:
    """`nix run` and `nix develop` of nixpy itself evaluate with both Nixes, for every system, without a warning."""
    for name in ("flake.nix", "pyproject.toml"):
        shutil.copy(TOP / name, tmp_path)
    for version, said in evaluate(tmp_path, "unstable").items():
        assert warnings(said) == [], version
    assert violations((TOP / "flake.nix").read_text()) == []


def test_it_names_every_dependency() -> None:
    """What pyproject.toml asks for is in the flake."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    text = (TOP / "flake.nix").read_text()
    for requirement in project["dependencies"]:
        assert requirement.partition(">")[0] in text.split()
