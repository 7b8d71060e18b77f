"""pytest fixtures for tests that run Nix. A conftest lists it as a plugin: `pytest_plugins =
["nixos.fixtures"]`.
"""

from __future__ import annotations

import pytest

from nixos.realnix import VERSIONS, Nix


@pytest.fixture(params=VERSIONS)
def nix(request: pytest.FixtureRequest) -> Nix:
    """Each of the two Nixes in turn."""
    return Nix(request.param)
