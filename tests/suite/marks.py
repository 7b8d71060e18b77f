"""Markers and groups of tests, derived from the fixtures that a test uses and the folder it lies in.

No test carries the markers `nix`, `box` or `network` by hand. `pytest -m "not nix and not box and not network"` passes
on a machine with an empty cache and without Nix, bubblewrap and a network, since a test without these markers cannot
reach Nix: see `suite.access`.
"""

from __future__ import annotations

from collections.abc import Collection

import pytest

# The fixtures that reach for something that not every machine has, or that take their time.
OF_FIXTURES = {"real_nix": "nix", "real_box": "box", "network": "network", "site": "slow", "many_runs": "slow"}
# Every test in these folders needs it; the first folder that holds the test decides.
OF_FOLDERS = {"tests/nixos/box/": "box", "tests/nixos/": "nix"}


def markers(path: str, fixtures: Collection[str]) -> frozenset[str]:
    """Return the markers of a test.

    Args:
        path: The file of the test, from the top of the repository.
        fixtures: The names of all fixtures that the test uses, directly or by way of other fixtures.
    """
    of_folder = [marker for folder, marker in OF_FOLDERS.items() if path.startswith(folder)]
    return frozenset(of_folder[:1]) | {marker for fixture, marker in OF_FIXTURES.items() if fixture in fixtures}


def path_of(item: pytest.Item) -> str:
    """Return the file of a test, from the top of the repository."""
    return item.nodeid.partition("::")[0]


def turn(markers: frozenset[str]) -> int:
    """Return when a test has its turn among others in several processes: first come those that take long."""
    return next((place for place, marker in enumerate(("box", "network", "nix")) if marker in markers), 3)


def group(item: pytest.Item) -> str | None:
    """Return the name of the group of tests that share a costly value, or None where the test is independent.

    The tests of a group run in one process, so that no second process makes the value again. A fixture of scope
    "module" makes the module a group; where a fixture that outlives a test has parameters, each parameter makes a
    group. A fixture of scope "session" without parameters makes none: each process has its own, or all share one by
    `suite.shared`.
    """
    if item.get_closest_marker("xdist_group"):
        return None  # chosen by hand
    information = getattr(item, "_fixtureinfo", None)
    call = getattr(item, "callspec", None)
    parameters = call.params if call else {}
    module = path_of(item)
    names = set()
    for name, definitions in information.name2fixturedefs.items() if information else ():
        definition = definitions[-1]
        if definition.scope in {"module", "session"} and name in parameters:
            value = parameters[name]
            value = value if isinstance(value, str) or call is None else call.indices[name]
            names.add(f"{module} {name}={value}" if definition.scope == "module" else f"{name}={value}")
        elif definition.scope == "module":
            return module
    return " ".join(sorted(names)) or None
