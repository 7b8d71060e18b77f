"""Locks in which any value has been replaced by another: read, or refused in our own words."""

from __future__ import annotations

import copy
import functools
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockdamage import document_of, places
from nixpy.core.errors import NixpyError
from nixpy.core.target import SYSTEMS, Target
from nixpy.locks import formats
from nixpy.locks.model import Declared, ExtrasAndGroups
from nixpy.locks.pdm import PdmLock
from nixpy.locks.poetry import PoetryLock
from nixpy.locks.select import select
from nixpy.locks.uv import UvLock
from samplelocks import PYLOCK, UV_LOCK

TARGETS = [Target(system=system, python="3.12.4", glibc=(2, 40)) for system in SYSTEMS]
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        "",
        "x",
        "../..",
        "1.0",
        "extra == 'x'",
        "os_name",
        "file:",
        "%zz",
        -1,
        2.5,
        True,
        [],
        ["a"],
        [1],
        [[]],
        {},
        {"a": 1},
        [{}],
    ]
)


def refusal(path: Path) -> NixpyError | None:
    """Ask a lock all there is to ask; return the error if it is refused."""
    try:
        lock = formats.read(path)
        select(lock, TARGETS, ExtrasAndGroups())
        if isinstance(lock, UvLock):
            lock.differences(Declared(), TARGETS[0])
        if isinstance(lock, PoetryLock | PdmLock):
            lock.fresh()
    except NixpyError as error:
        return error
    return None


MADE = Path(__file__).parent / "made"
LOCKS = {
    "uv": ("uv.lock", UV_LOCK),
    "pylock": ("pylock.toml", PYLOCK),
    "poetry": ("poetry.lock", (MADE / "poetry/poetry.lock").read_text()),
    "poetry-1.1": ("poetry.lock", (MADE / "poetry-1.1/poetry.lock").read_text()),
    "pdm": ("pdm.lock", (MADE / "pdm/pdm.lock").read_text()),
    "pdm-4.1": ("pdm.lock", (MADE / "pdm-4.1/pdm.lock").read_text()),
}


@functools.cache
def parsed(kind: str) -> tuple[Any, list[tuple[str | int, ...]]]:
    """Return the document of a lock and the ways to all of its values."""
    document = tomllib.loads(LOCKS[kind][1])
    return document, list(places(document))


@pytest.mark.parametrize("kind", LOCKS)
def test_what_is_written_means_the_same(kind: str) -> None:
    """The document that these tests write of a lock is the lock's own."""
    assert tomllib.loads(document_of(parsed(kind)[0])) == parsed(kind)[0]


@pytest.mark.slow
@pytest.mark.parametrize("kind", LOCKS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_value_replaced(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    """Whatever stands in the place of whatever value, the lock is read or refused with a NixpyError that names it."""
    original, ways = parsed(kind)
    document = copy.deepcopy(original)
    *way, last = data.draw(st.sampled_from(ways))
    table = document
    for key in way:
        table = table[key]
    table[last] = data.draw(ODD)
    path = tmp_path / LOCKS[kind][0]
    if (pyproject := MADE / kind / "pyproject.toml").exists():
        shutil.copyfile(pyproject, tmp_path / "pyproject.toml")
    path.write_text(document_of(document))
    error = refusal(path)
    assert error is None or (error.path == path and error.hint)


@pytest.mark.parametrize("value", ["a @ file:///b#", "a\nb", "../../a", "\x1b[31ma", "::error::a", "a b", ""])
@pytest.mark.parametrize("kind", LOCKS)
def test_a_name_that_no_package_has(tmp_path: Path, kind: str, value: str) -> None:
    """A name goes into questions to uv and into Nix: a text that is none is refused where the lock is read."""
    document = copy.deepcopy(parsed(kind)[0])
    packages = next(table for key, table in document.items() if key.startswith("package"))
    packages[0]["name"] = value
    path = tmp_path / LOCKS[kind][0]
    path.write_text(document_of(document))
    with pytest.raises(NixpyError, match="name"):
        formats.read(path)


@pytest.mark.parametrize("kind", LOCKS)
def test_a_version_that_is_none(tmp_path: Path, kind: str) -> None:
    """The same holds for a version."""
    document = copy.deepcopy(parsed(kind)[0])
    packages = next(table for key, table in document.items() if key.startswith("package"))
    packages[0]["version"] = "1.0 @ x"
    path = tmp_path / LOCKS[kind][0]
    path.write_text(document_of(document))
    with pytest.raises(NixpyError, match="ersion"):
        formats.read(path)


def test_a_lock_of_an_old_poetry_is_not_damaged(tmp_path: Path) -> None:
    """Before version 1.1, Poetry wrote no lock-version. Poetry 2 refuses such a lock."""
    path = tmp_path / "poetry.lock"
    path.write_text('package = []\n[metadata]\ncontent-hash = "0"\npython-versions = "^3.7"\n[metadata.hashes]\n')
    with pytest.raises(NixpyError, match=r"an old Poetry wrote this poetry\.lock") as caught:
        PoetryLock.read(path)
    assert (caught.value.line, caught.value.hint) == (2, "Run `poetry lock`.")
