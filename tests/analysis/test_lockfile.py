"""nixpy.lock says what was found, in bytes that depend on nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from nixpy.analysis import nixpylock
from nixpy.analysis.nixpylock import NixpyLock, Wheel, dumps, loads
from nixpy.core.errors import LockError
from nixpy.locks.model import Unavailable
from nixpy.needs.model import Needs, RuntimeOpen, open_order
from opens import of_table, opening

NAMES = st.text("abcdefgh", min_size=1, max_size=4)
SONAMES = NAMES.map(lambda name: f"lib{name}.so.1")
SYSTEMS = st.sampled_from(["aarch64-linux", "x86_64-linux", "aarch64-darwin"])


@st.composite
def opens(draw: st.DrawFn, system: str) -> tuple[RuntimeOpen, ...]:
    """What a wheel opens on one system, by a row of the table and by its files."""
    found = draw(
        st.sets(
            st.builds(
                opening,
                SONAMES,
                NAMES,
                evidence=st.sampled_from(["note", "source", "strings"]),
                certainty=st.sampled_from(["certain", "likely", "possible"]),
                path=NAMES,
                line=st.none() | st.integers(1, 9),
                find_library=st.booleans(),
                module=st.none() | NAMES,
                modules=st.tuples() | st.tuples(NAMES),
                systems=st.just((system,)),
            ),
            max_size=2,
        )
    )
    rows = of_table(*draw(st.sets(SONAMES, max_size=2)), system=system)
    return tuple(sorted({*found, *rows}, key=open_order))


@st.composite
def wheels(draw: st.DrawFn) -> Wheel:
    sonames = sorted(draw(st.sets(SONAMES, max_size=3)))
    name = draw(NAMES)
    system = draw(SYSTEMS)
    return Wheel(
        system=system,
        name=canonicalize_name(name),
        version="1.0",
        filename=f"{name}-1.0-{draw(st.sampled_from(['cp313-cp313-linux_x86_64', 'py3-none-any']))}.whl",
        sha256=draw(st.none() | st.just("ab" * 32)),
        needs=Needs(
            sonames=tuple((soname, draw(st.text(min_size=1, max_size=5))) for soname in sonames),
            optional=tuple(sonames[:1]),
            likely=tuple(sonames[1:2]),
            opens=draw(opens(system)),
            executables=tuple(sorted(draw(st.sets(NAMES, max_size=2)))),
            glibc=draw(st.none() | st.tuples(st.just(2), st.integers(0, 50))),
            known=draw(st.sampled_from(["sha256", "index", "installed", "tag"])),
            unreadable=tuple(sorted(draw(st.sets(NAMES, max_size=2)))),
        ),
    )


@st.composite
def nixpy_locks(draw: st.DrawFn) -> NixpyLock:
    found = {(wheel.system, wheel.name): wheel for wheel in draw(st.lists(wheels(), max_size=6))}
    gone = {(system, canonicalize_name(name)) for system, name in draw(st.sets(st.tuples(SYSTEMS, NAMES), max_size=3))}
    return NixpyLock(
        python="3.13",
        release="nixos-26.05",
        inputs="0" * 64,
        systems=("aarch64-darwin", "aarch64-linux", "x86_64-linux"),
        wheels=tuple(found[key] for key in sorted(found) if found[key].matters),
        unavailable=tuple(
            Unavailable(system=system, name=name, version=None, sdist=True) for system, name in sorted(gone)
        ),
    )


@given(nixpy_locks())
def test_what_is_written_is_read(nixpy_lock: NixpyLock) -> None:
    """A nixpy.lock comes back from its text as it was."""
    assert loads(dumps(nixpy_lock), Path("nixpy.lock")) == nixpy_lock


@given(nixpy_locks(), st.randoms(use_true_random=False))
def test_order_does_not_matter(nixpy_lock: NixpyLock, random: Random) -> None:
    """The same wheels in another order give the same bytes."""
    shuffled = list(nixpy_lock.wheels)
    random.shuffle(shuffled)
    missing = list(nixpy_lock.unavailable)
    random.shuffle(missing)
    assert dumps(replace(nixpy_lock, wheels=tuple(shuffled), unavailable=tuple(missing))) == dumps(nixpy_lock)


def test_pure_wheels_that_need_nothing_are_not_recorded() -> None:
    """An update of such a wheel leaves the file as it is."""
    pure = Wheel(
        system="x86_64-linux",
        name=canonicalize_name("pure"),
        version="1.0",
        filename="pure-1.0-py3-none-any.whl",
        sha256=None,
        needs=Needs(known="sha256"),
    )
    empty = NixpyLock(
        python="3.13", release="nixos-26.05", inputs="0" * 64, systems=("x86_64-linux",), wheels=(), unavailable=()
    )
    assert dumps(replace(empty, wheels=(pure,))) == dumps(empty)
    opener = replace(pure, needs=Needs(known="sha256", opens=(opening("libz.so.1"),)))
    assert "libz.so.1" in dumps(replace(empty, wheels=(opener,)))
    unreadable = replace(pure, needs=Needs(known="sha256", unreadable=("pure/tool",)))
    assert "pure/tool" in dumps(replace(empty, wheels=(unreadable,)))


def test_opens_are_recorded_in_one_line_each() -> None:
    """The names, the evidence and the place of each open are in one line; rows of the table only by soname."""
    wheel = Wheel(
        system="x86_64-linux",
        name=canonicalize_name("mss"),
        version="1.0",
        filename="mss-1.0-py3-none-any.whl",
        sha256=None,
        needs=Needs(
            known="sha256",
            opens=(
                *of_table("libz.so.1"),
                opening("libxcb.so", "libxcb.so.1", path="mss/x.py", find_library=True, systems=("x86_64-linux",)),
            ),
        ),
    )
    text = dumps(
        NixpyLock(
            python="3.13",
            release="nixos-26.05",
            inputs="0" * 64,
            systems=("x86_64-linux",),
            wheels=(wheel,),
            unavailable=(),
        )
    )
    assert '"dlopen": ["libz.so.1"]' in text
    line = (
        '{"names": ["libxcb.so", "libxcb.so.1"], "evidence": "source", "certainty": "certain", "path": "mss/x.py", '
        '"line": 3, "by-find-library": true}'
    )
    assert line in [one.strip().removesuffix(",") for one in text.splitlines()]


def test_a_file_of_the_version_before_is_read() -> None:
    """A nixpy.lock that has only the sonames of the table under `dlopen` is read, and written as it was."""
    needs = {"dlopen": ["libmagic.so.1"]}
    item = {
        "name": "python-magic",
        "version": "0.4.27",
        "filename": "python_magic-0.4.27-py2.py3-none-any.whl",
        "sha256": None,
        "known": "sha256",
        "needs": needs,
    }
    text = _forged(systems={"x86_64-linux": {"wheels": [item]}})
    (wheel,) = loads(text, Path("nixpy.lock")).wheels
    assert wheel.needs == Needs(known="sha256", opens=of_table("libmagic.so.1"))


def _forged(**changes: object) -> str:
    """Return a nixpy.lock with these values and the right digest for them."""
    sound = NixpyLock(
        python="3.13", release="nixos-26.05", inputs="0" * 64, systems=("x86_64-linux",), wheels=(), unavailable=()
    )
    body = {**json.loads(dumps(sound)), **changes}
    del body["digest"]
    return nixpylock._json({"digest": nixpylock._digest(body), **body})


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 1e300},
        {"format": True, "python": 3},
        {"python": "3." + "9" * 5_000},
        {"python": ["3.13"]},
        {"release": {"a": 1}},
        {"inputs": 7},
        {"systems": {"x86_64-linux": {"wheels": [{"name": "a", "needs": {"glibc": "2." + "9" * 5_000}}]}}},
        {"systems": {"x86_64-linux": 1}},
        {"systems": {"x86_64-linux": {"wheels": [1]}}},
    ],
)
def test_forged_values_with_a_right_digest(changes: dict[str, object]) -> None:
    """Values that nixpy never writes are those of an edited file, whatever the digest says."""
    with pytest.raises(nixpylock.Damaged):
        loads(_forged(**changes), Path("nixpy.lock"))


@pytest.mark.parametrize("text", ["[" * 20_000, '{"format": ' + "9" * 5_000 + "}", '{"a":' * 20_000])
def test_text_past_a_limit(text: str) -> None:
    """JSON that no nixpy.lock is, is not nixpy's."""
    with pytest.raises(LockError, match="not written by nixpy"):
        loads(text, Path("nixpy.lock"))
