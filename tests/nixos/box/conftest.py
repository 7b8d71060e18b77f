"""The box and its shells, made once."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nixos.box import store
from nixos.box.observe import Observed, observe
from nixos.box.sandbox import Box
from nixos.box.shells import Shell, make_shell
from nixpy.styles.styles import find
from suite.shared import folder, once

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
    """What is seen in the shell of the style with that name; seen once, by one process of the run. Its tests are a
    group, so that they run in that process, and the shell is there until its end.
    """
    shared = folder(tmp_path_factory)
    own = tmp_path_factory.mktemp("styles")

    def see(name: str) -> Observed:
        return observe(make_shell(find(name), own / name), f"{built['newer-ninja']}/bin/ninja")

    yield functools.cache(lambda name: once(shared / f"observed-{name}", lambda: see(name)))
    shutil.rmtree(own)  # gigabytes of virtual environments


@pytest.fixture(scope="session", params=STYLES)
def observed(request: pytest.FixtureRequest, observed_of: Callable[[str], Observed]) -> Observed:
    """What is seen in the shell of each style that has one for development with wheels."""
    return observed_of(request.param)


@pytest.fixture
def shell(observed: Observed) -> Shell:
    """That shell, with all its libraries."""
    return observed.shell
