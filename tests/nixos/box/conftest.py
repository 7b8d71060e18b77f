"""The box and its shells, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixos.box import store
from nixos.box.sandbox import Box
from nixos.box.shells import Shell, make_shell
from nixpy.styles import find

STYLES = ("loader", "nix-ld", "wrapped-python", "fhs")


@pytest.fixture(scope="session")
def built() -> dict[str, Path]:
    """The store paths of the box's packages."""
    return store.packages()


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A box with an empty home, and NixOS's stub for a loader."""
    return Box(home=tmp_path / "home")


@pytest.fixture(scope="session", params=STYLES)
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """The shell of each style that has one for development with wheels."""
    return make_shell(find(request.param), tmp_path_factory.mktemp(request.param))
