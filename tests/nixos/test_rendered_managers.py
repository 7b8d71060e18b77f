"""What is rendered for each manager but uv, given to real Nix; uv's is in test_rendered.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixos.realnix import RELEASES, evaluate, warnings
from nixos.rfc166 import violations
from runner import Nixpy
from smallindex import SmallIndex
from toollocks import locked


def made(folder: Path, index: SmallIndex, manager: str) -> Path:
    """A project of that manager's, with copies for pip."""
    if manager in {"poetry", "pdm"}:
        return locked(folder, index, manager)
    folder.mkdir()
    (folder / "requirements.txt").write_text("gamma\n")
    (folder / "nixpy.toml").write_text('venv-copies = true\nrequirements = ["requirements.txt"]\n')
    return folder


@pytest.mark.parametrize("style", ["loader", "fhs"])
@pytest.mark.parametrize("manager", ["pip", "poetry", "pdm"])
def test_every_manager_evaluates_everywhere(
    tmp_path: Path, index: SmallIndex, nixpy: Nixpy, manager: str, style: str
) -> None:
    """With each manager the flake evaluates on every release, for all systems, silently, and is formatted."""
    project = made(tmp_path / "demo", index, manager)
    assert nixpy("init", project, "--style", style, "--python", "3.13").status == 0
    text = (project / "nixpy.nix").read_text()
    assert "nixpy-fill" in text
    assert violations(text) == []
    for release in RELEASES:
        for version, said in evaluate(project, release).items():
            assert warnings(said) == [], (release, version)
