"""A test has the markers of what it uses, and cannot use more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nixos.box import store
from nixos.realnix import CURRENT
from suite import marks
from suite.access import NotMarkedError

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("path", "fixtures", "expected"),
    [
        ("tests/core/test_urls.py", ["tmp_path", "nixpy"], set()),
        ("tests/core/test_urls.py", ["tmp_path", "real_nix"], {"nix"}),
        ("tests/docs/test_pages.py", ["real_box", "network"], {"box", "network"}),
        ("tests/nixos/test_rendered.py", [], {"nix"}),
        ("tests/nixos/box/test_box_styles.py", [], {"box"}),
    ],
)
def test_markers_follow_fixtures_and_folders(path: str, fixtures: list[str], expected: set[str]) -> None:
    """Each fixture that reaches for something gives its marker, and so does the innermost folder that is listed."""
    assert marks.markers(path, fixtures) == expected


def test_every_collected_test_has_them(request: pytest.FixtureRequest) -> None:
    """The markers of each test of this run are those that its fixtures and its folder give it, and no others."""
    for item in request.session.items:
        expected = marks.markers(marks.path_of(item), getattr(item, "fixturenames", ()))
        found = {marker for marker in ("nix", "box", "network") if item.get_closest_marker(marker)}
        assert found == expected - {"slow"}, item


def test_no_marker_is_set_by_hand() -> None:
    """No test file names the three markers, so that a fixture is the only way to get one."""
    by_hand = re.compile(r"\bmark\.(nix|box|network)\b")
    assert [path for path in TESTS.rglob("*.py") if path.is_file() and by_hand.search(path.read_text())] == []


def test_without_a_marker_there_is_no_nix() -> None:
    """A test that forgets its fixture fails, also where Nix is installed, and learns which one it lacks."""
    with pytest.raises(NotMarkedError, match=r"test_without_a_marker_there_is_no_nix uses nix: .*`real_nix`"):
        CURRENT.run("nix", "--version")
    with pytest.raises(NotMarkedError, match="`real_box`"):
        store.packages.__wrapped__()  # what the process knows already needs no Nix


def test_tests_that_share_a_value_are_a_group(request: pytest.FixtureRequest) -> None:
    """What a module or a parameter of a session makes once is made in one process; other tests have no group."""
    groups = {}
    for item in request.session.items:
        marker = item.get_closest_marker("xdist_group")
        groups[item.nodeid] = group = marker.args[0] if marker else None
        if group and hasattr(request.config, "workerinput") and request.config.option.loadgroup:
            assert item.nodeid.endswith(f"@{group}"), "pytest-xdist does not know the group"
    box = "tests/nixos/box/test_box_"
    for begin, expected in {
        marks.path_of(request.node): None,
        f"{box}styles.py::test_a_program_of_a_wheel_runs_where_promised[fhs": "observed=fhs",
        f"{box}own_flake.py::": f"{box}own_flake.py",
        f"{box}store_shells.py::test_direnv_enters_it[uv2nix": f"{box}store_shells.py project=uv2nix",
    }.items():
        found = {value for name, value in groups.items() if name.startswith(begin)}
        assert found in ({expected}, set())  # the second where they are no part of the run
