"""What wheels require, found out where it is wanted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nixpy.index.settings import IndexSettings
from nixpy.locks.model import LockedWheel
from nixpy.needs.model import WheelFacts
from nixpy.wheels.cache import Cache
from nixpy.wheels.gather import gather
from smallindex import SmallIndex, build_wheel
from wheels.samples import LINUX, locked, mostly_data, noise

LINES = ("numpy>=2", 'fast ; extra == "fast"')


def collect(wheel: LockedWheel, folder: Path, **options: Any) -> WheelFacts:
    """The facts of one wheel, gathered with a cache in that folder."""
    options = {"metadata": True, **options}
    found = gather([wheel], venv=None, index=IndexSettings(), cache=Cache(folder=folder / "cache"), **options)
    return found[wheel]


@pytest.fixture
def stock(tmp_path: Path) -> Path:
    """A folder for wheels."""
    return tmp_path / "stock"


def test_a_wheel_says_what_it_requires(tmp_path: Path, stock: Path) -> None:
    """The lines stand as in its METADATA, from a file or by ranges, and are in the cache from then on."""
    path = build_wheel(stock, "pkg", "1.0", LINUX, LINES, extras=["fast"], files={"a.bin": noise(900_000)})
    assert collect(locked(path), tmp_path / "one").requires == LINES
    with SmallIndex(stock) as index:
        wheel = locked(path, index.file_url(path.name))
        assert (facts := collect(wheel, tmp_path)).requires == LINES
        assert facts.known == "index"
        asked = len(index.requests)
        assert collect(wheel, tmp_path) == facts
        assert len(index.requests) == asked


def test_what_is_cached_without_is_read_again(tmp_path: Path, stock: Path) -> None:
    """Facts of a wheel that were gathered without its metadata do not answer for it, but the other way round."""
    path = mostly_data(stock)
    with SmallIndex(stock) as index:
        wheel = locked(path, index.file_url(path.name))
        without = collect(wheel, tmp_path, metadata=False)
        assert without.requires is None
        found = collect(wheel, tmp_path)
        assert found == replace(without, requires=())
        asked = len(index.requests)
        assert collect(wheel, tmp_path, metadata=False) == found
        assert len(index.requests) == asked


def test_one_for_macos_is_opened_for_that_alone(tmp_path: Path, stock: Path) -> None:
    """Its modules are no ELF files and are not fetched."""
    files = {"a.so": noise(900_000, 1), "b.so": noise(900_000, 2)}
    path = build_wheel(stock, "pkg", "1.0", "cp313-cp313-macosx_11_0_arm64", LINES, extras=["fast"], files=files)
    with SmallIndex(stock) as index:
        facts = collect(locked(path, index.file_url(path.name), system="aarch64-darwin"), tmp_path)
        assert facts == WheelFacts(files=(), known="index", requires=LINES)
        assert len(index.requests) == 1


def test_damage_in_the_cache_is_no_answer(tmp_path: Path, stock: Path) -> None:
    """An entry whose requirements are not texts is read anew."""
    path = build_wheel(stock, "pkg", "1.0", requires=LINES, extras=["fast"])
    assert collect(locked(path), tmp_path).requires == LINES
    (entry,) = tmp_path.glob("cache/*/*/*.json")
    entry.write_text(entry.read_text().replace('"requires": [', '"requires": [1, '))
    assert collect(locked(path), tmp_path).requires == LINES
