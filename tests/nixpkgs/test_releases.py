"""The table of nixpkgs releases, and the choice of a Python from it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from nixpy.core.errors import NixpyError
from nixpy.nixpkgs.releases import Release, choose_python, current, is_later, load, release, releases

TABLE = """\
current = "nixos-99.05"

[[release]]
branch = "nixos-99.05"
state = "stable"
until = 2099-12-31
glibc = "2.42"
default = "3.13"
pythons = { "3.9" = "3.9.1", "3.12" = "3.12.13", "3.13" = "3.13.13", "3.14" = "3.14.4" }

[[release]]
branch = "nixos-unstable"
state = "unstable"
glibc = "2.42"
default = "3.14"
pythons = { "3.13" = "3.13.15", "3.14" = "3.14.7" }
"""


@pytest.fixture
def stable(tmp_path: Path) -> Release:
    file = tmp_path / "releases.toml"
    file.write_text(TABLE)
    return load(file).by_branch["nixos-99.05"]


def test_what_the_table_says_of_the_current_branch() -> None:
    """The current branch is stable, and its facts are those of nixpkgs 26.05."""
    found = release(current())
    assert (found.branch, found.state, found.glibc, found.default) == ("nixos-26.05", "stable", (2, 42), "3.13")
    assert "3.10" not in found.pythons


def test_no_release_offers_a_pre_release() -> None:
    """Every Python of every release is a final one, under its own minor version, the default among them."""
    for found in releases().by_branch.values():
        for minor, full in found.pythons.items():
            assert not Version(full).is_prerelease
            assert full.startswith(minor + ".")
        assert found.default in found.pythons


def test_the_default_python_never_goes_back() -> None:
    """The table is in the order of time: defaults and glibc only grow, and unstable comes last."""
    found = list(releases().by_branch.values())
    assert found[-1].state == "unstable"
    for older, newer in pairwise(found):
        assert Version(older.default) <= Version(newer.default)
        assert older.glibc <= newer.glibc


@pytest.mark.parametrize(
    ("ref", "branch"),
    [
        ("nixos-26.05", "nixos-26.05"),
        ("26.05", "nixos-26.05"),
        ("nixos-26.05-small", "nixos-26.05"),
        ("nixpkgs-25.11-darwin", "nixos-25.11"),
        ("release-25.05", "nixos-25.05"),
        ("github:NixOS/nixpkgs/nixos-24.11", "nixos-24.11"),
        ("nixos-unstable", "nixos-unstable"),
        ("nixpkgs-unstable", "nixos-unstable"),
        ("nixos-unstable-small", "nixos-unstable"),
        ("2d293cbfa5a793b4c50d17c05ef9e385b90edf6c", "nixos-unstable"),
        ("nixos-21.05", "nixos-unstable"),
        ("my-own-branch", "nixos-unstable"),
        ("", "nixos-unstable"),
    ],
)
def test_references(ref: str, branch: str) -> None:
    """A stable branch is known in all its spellings; whatever else is taken for unstable."""
    assert release(ref).branch == branch


@pytest.mark.parametrize(
    ("ref", "later"),
    [
        ("nixos-25.11", False),
        ("25.05", False),
        ("github:NixOS/nixpkgs/nixos-25.11-small", False),
        ("release-26.05", True),
        ("nixos-27.05", True),
        ("nixpkgs-unstable", True),
        ("master", True),
        ("0123456789abcdef0123456789abcdef01234567", None),
        ("my-branch", None),
    ],
)
def test_later_releases(ref: str, later: bool | None) -> None:
    """A branch is later if its number is, or if it moves on without one; a revision or another name tells nothing."""
    assert is_later(ref, "nixos-25.11") is later


def test_full_version(stable: Release) -> None:
    """A minor version has its full one, and one the release lacks is answered with those it has."""
    assert stable.full_version("3.12") == "3.12.13"
    with pytest.raises(NixpyError, match=r"nixos-99\.05 has no Python 3\.11") as caught:
        stable.full_version("3.11")
    assert "3.9, 3.12, 3.13, 3.14" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("requested", "file", "requires", "expected"),
    [
        ("3.14", "3.12", ">=3.9", "3.14"),  # asked for wins over the file
        ("3.14.1", None, None, "3.14"),
        ("python3.14", None, None, "3.14"),
        (None, "3.12", ">=3.9", "3.12"),  # the file wins over the default
        (None, "3.12.3\n", None, "3.12"),
        (None, "cpython-3.12", None, "3.12"),
        (None, "pypy3.10", None, "3.13"),  # no CPython of nixpkgs: no say
        (None, "3", None, "3.13"),
        (None, None, None, "3.13"),
        (None, None, ">=3.10", "3.13"),
        (None, None, "<3.13", "3.12"),  # the default is not admitted: the newest that is
        (None, None, ">=3.14", "3.14"),
        (None, None, "!=3.13.*", "3.14"),  # newest as numbers go: 3.9 is older than 3.14
        (None, None, "<3.10", "3.9"),
        (None, None, "==3.12.13", "3.12"),
    ],
)
def test_the_order_of_choice(
    stable: Release, requested: str | None, file: str | None, requires: str | None, expected: str
) -> None:
    """What was asked for, `.python-version`, the default if admitted, the newest admitted: in this order."""
    specifiers = SpecifierSet(requires) if requires else None
    assert choose_python(requested, file, specifiers, stable)[0] == expected


def test_each_choice_has_its_reason(stable: Release) -> None:
    """The reason tells the four ways to a version apart."""
    ways = [("3.12", None, None), (None, "3.12", None), (None, None, ">=3.9"), (None, None, "<3.13")]
    reasons = [choose_python(a, b, SpecifierSet(c) if c else None, stable)[1] for a, b, c in ways]
    assert len(set(reasons)) == 4
    assert "nixos-99.05" in reasons[2]


@pytest.mark.parametrize(
    ("requested", "file", "requires", "message", "hint"),
    [
        ("three", None, None, "'three' is not a version of CPython", "3.13"),
        ("3", None, None, "'3' is not a version", "3.9, 3.12, 3.13, 3.14"),
        ("3.15", None, None, r"has no Python 3\.15", "3.9, 3.12, 3.13, 3.14"),
        (None, "3.11", None, r"\.python-version: nixos-99\.05 has no Python 3\.11", "3.9, 3.12, 3.13, 3.14"),
        (
            None,
            "3.11",
            ">=3.14",
            "has no Python",
            "Run `nixpy init --python 3.14`, or name another one in .python-version",
        ),
        ("3.12", None, ">=3.13", r"requires-python >=3\.13 does not admit Python 3\.12", "3.13, 3.14"),
        (None, None, ">=3.15", r"no Python of nixos-99\.05 satisfies >=3\.15", "3.9, 3.12, 3.13, 3.14"),
        ("3.12", None, ">=3.15", "does not admit", "Widen requires-python."),
    ],
)
def test_errors_say_the_way_out(
    stable: Release, requested: str | None, file: str | None, requires: str | None, message: str, hint: str
) -> None:
    """What is not there or not admitted ends with an error that lists what is."""
    specifiers = SpecifierSet(requires) if requires else None
    with pytest.raises(NixpyError) as caught:
        choose_python(requested, file, specifiers, stable)
    caught.match(message)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"3.14.4"', '"3.14.0rc1"'),
        ('"3.14.4"', '"3.13.4"'),
        ('"3.14.4"', '"3.14"'),
        ('"3.14.4"', '"new"'),
        ('default = "3.13"', 'default = "3.11"'),
        ('"3.9" = "3.9.1", "3.12" = "3.12.13"', '"3.12" = "3.12.13", "3.9" = "3.9.1"'),
        ("until = 2099-12-31", ""),
        ("until = 2099-12-31", 'until = "2099-12-31"'),
        ('state = "unstable"', 'state = "unstable"\nuntil = 2099-12-31'),
        ('state = "stable"', 'state = "old"'),
        ('state = "stable"', 'state = "ended"'),
        ('state = "unstable"', 'state = "ended"'),
        ('current = "nixos-99.05"', 'current = "nixos-98.11"'),
        ('glibc = "2.42"\ndefault = "3.13"', 'default = "3.13"'),
        ('glibc = "2.42"\ndefault = "3.13"', 'glibc = "2"\ndefault = "3.13"'),
        ("[[release]]", "[[releases]]"),
        ("[[release]]", "[[release"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path: Path, old: str, new: str) -> None:
    """A pre-release, a wrong order, a missing fact or a default that is not there: an error with the file."""
    file = tmp_path / "releases.toml"
    assert old in TABLE
    file.write_text(TABLE.replace(old, new))
    with pytest.raises(NixpyError) as caught:
        load(file)
    assert caught.value.path == file
    assert caught.value.line
