"""Which packages of a lock a wheel asks for."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nixpy.core.target import Target
from nixpy.needs.requires import Requires, required

LINUX = Target(system="x86_64-linux", python="3.13.5", glibc=(2, 42)).marker_environment()
AMONG = {canonicalize_name(name) for name in "abcdefgh"}


def found(lines: Mapping[str, Iterable[str]], *asked: str) -> dict[str, Requires]:
    """What the wheels with these requirements ask for, in a project that asks for `asked`."""
    wheels = {canonicalize_name(name): own for name, own in lines.items()}
    return dict[str, Requires](required(wheels, LINUX, AMONG, [Requirement(text) for text in asked]).items())


def ask(lines: Mapping[str, Iterable[str]], *asked: str) -> dict[str, tuple[str, ...]]:
    """The names alone."""
    return dict[str, tuple[str, ...]]({name: one.names for name, one in found(lines, *asked).items()})


def test_what_is_locked_and_holds_there() -> None:
    """Names are normalised, markers hold on that machine, and what the lock does not install is left out."""
    lines = ("A>=2", "b[x]<3 ; python_version < '3.14'", "c ; sys_platform == 'darwin'", "z", "d @ https://a.b/d.whl")
    assert ask({"h": lines}) == {"h": ("a", "b", "d")}


OPTIONAL = ("a ; extra == 'Fast_IO'", "b ; extra == 'x' and sys_platform == 'darwin'", "c ; 'x' == extra")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["h"], ()),
        (["h[x]"], ("c",)),
        (["H[fast.io]", "h[X]"], ("a", "c")),
        (["h[x] ; sys_platform == 'darwin'"], ()),
        (["g"], ()),
    ],
)
def test_an_extra_counts_that_the_project_asks_for(asked: list[str], found: tuple[str, ...]) -> None:
    """What an extra asks for is asked for where the project wants it here, and the rest of its marker holds."""
    assert ask({"h": OPTIONAL, "g": ()}, *asked)["h"] == found


def test_an_extra_counts_that_another_wheel_asks_for() -> None:
    """One wheel may ask for an extra of the next by an extra of its own, whether they stand in order or in a circle."""
    lines = {
        "a": ("b[x] ; extra == 'x'",),
        "b": ("a[x] ; extra == 'y'", "c[x] ; extra == 'x'", "d ; extra == 'y'"),
        "c": ("b[y] ; extra == 'x'", "c[z] ; extra == 'x'", "e ; extra == 'z'"),
    }
    assert ask(lines, "a", "b", "c") == {"a": (), "b": (), "c": ()}
    assert ask(lines, "a[x]") == {"a": ("b",), "b": ("a", "c", "d"), "c": ("b", "c", "e")}
    assert ask(lines, "c[z]") == {"a": (), "b": (), "c": ("e",)}


def test_any_extra_counts_where_nobody_can_tell() -> None:
    """Where the project does not say what it asks for, every extra may be in use."""
    both = (canonicalize_name("a"), canonicalize_name("c"))
    told = required({canonicalize_name("h"): OPTIONAL}, LINUX, AMONG, None)
    assert told == {"h": Requires(names=both, by_extras=both)}


def test_what_extras_alone_ask_for_is_told_apart() -> None:
    """What is asked for without an extra too is not among it, whichever line comes first."""
    lines = ("a ; extra == 'x'", "b[z] ; extra == 'x'", "b", "c", "c>1 ; extra == 'x'", "d ; extra == 'y'")
    told = found({"h": lines}, "h[x]")["h"]
    assert (told.names, told.by_extras) == (("a", "b", "c"), ("a",))


def test_what_cannot_be_read_asks_for_nothing() -> None:
    """Lines of old tools, and markers that compare what cannot be compared, are passed over."""
    lines = ("a (>=1.0.*)", "b >= 1; os == 'x'", "", "c ; python_version ~= 'x'", "d")
    assert ask({"h": lines}) == {"h": ("d",)}


@pytest.mark.parametrize("asked", [None, "demo[e0]"])
def test_extras_that_name_each_other_take_linear_time(asked: str | None) -> None:
    """Each extra of a chain is looked at once, with the lines that name it."""
    lines = [f"demo[e{number + 1}] ; extra == 'e{number}'" for number in range(3000)]
    name = canonicalize_name("demo")
    start = time.process_time()
    found = required({name: lines}, LINUX, {name}, [Requirement(asked)] if asked else None)
    assert found[name].by_extras == (name,)
    assert time.process_time() - start < 10
