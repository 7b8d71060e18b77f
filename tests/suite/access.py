"""What the running test may use of what not every machine has.

A test that reaches for Nix without the marker fails also where Nix is installed, so that a missing fixture shows on
every machine.
"""

from __future__ import annotations


class NotMarkedError(Exception):
    """A test used Nix or the box and none of its fixtures says so."""


class Access:
    """The markers of the running test; None between tests, when everything is allowed."""

    def __init__(self) -> None:
        self.test = ""
        self.markers: frozenset[str] | None = None

    def demand(self, *markers: str) -> None:
        """Raise NotMarkedError where the running test has none of these markers."""
        if self.markers is not None and self.markers.isdisjoint(markers):
            fixture = {"nix": "real_nix", "box": "real_box"}[markers[0]]
            raise NotMarkedError(f"{self.test} uses {markers[0]}: let it use the fixture `{fixture}`")


ACCESS = Access()
