"""The box and its shells, made once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nixos.box import store
from nixos.box.observe import Observed, observe
from nixos.box.sandbox import Box
from nixos.box.shells import Shell, make_shell
from nixpy.styles.styles import find

STYLES = (
    "loader",
    "nix-ld",
    "nix-ld-interpreter",
    "wrapped-python",
    "patched-venv",
    "overridden-python",
    "fhs",
)


@pytest.fixture(scope="session")
def built() -> dict[str, Path]:
    """The store paths of the box's packages."""
    return store.packages()


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A box with an empty home, and NixOS's stub for a loader."""
    return Box(home=tmp_path / "home")


@pytest.fixture(scope="session")
def observed_of(
    tmp_path_factory: pytest.TempPathFactory, built: dict[str, Path]
) -> Iterator[Callable[[str], Observed]]:
    """What is seen in the shell of the style with that name; seen once."""
    seen: dict[str, Observed] = {}
    folder = tmp_path_factory.mktemp("styles")

    def look(name: str) -> Observed:
        if name not in seen:
            seen[name] = observe(make_shell(find(name), folder / name), f"{built['newer-ninja']}/bin/ninja")
        return seen[name]

    yield look
    shutil.rmtree(folder)  # gigabytes of virtual environments


@pytest.fixture(scope="session", params=STYLES)
def observed(request: pytest.FixtureRequest, observed_of: Callable[[str], Observed]) -> Observed:
    """What is seen in the shell of each style that has one for development with wheels."""
    return observed_of(request.param)


@pytest.fixture
def shell(observed: Observed) -> Shell:
    """That shell, with all its libraries."""
    return observed.shell
