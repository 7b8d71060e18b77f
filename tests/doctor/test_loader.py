"""The loader's search, simulated: by its rules, and against what reads the same files."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

from elfbuild import elf
from nixpy.doctor import cache
from nixpy.doctor.interpreter import start
from nixpy.doctor.loader import Files, Search
from nixpy.needs.elf import read, run_path


def files_of(folder: Path, **contents: bytes) -> Files:
    """ELF files in a folder, by stem."""
    places = {}
    found = []
    for stem, data in contents.items():
        place = folder / "pkg" / f"{stem}.so"
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(data)
        facts = read(data, f"pkg/{stem}.so")
        assert facts is not None
        found.append(facts)
        places[facts.path] = place
    return Files(files=tuple(found), places=places)


NOWHERE = Search(folders=())


def test_who_finds_a_library(tmp_path: Path) -> None:
    """Told folders, the process itself and the cache answer for all; a run path for the file that has it."""
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs/libx.so.1").touch()
    plain = files_of(tmp_path, a=elf(needed=["libx.so.1"]))
    assert plain.unfound("libx.so.1", NOWHERE) == ("pkg/a.so",)
    assert plain.unfound("liby.so.1", NOWHERE) == ()  # nobody asks
    long = "a" * 300
    assert files_of(tmp_path, a=elf(needed=[long])).unfound(long, Search(folders=(tmp_path,))) == ("pkg/a.so",)
    assert plain.unfound("libx.so.1", Search(folders=(tmp_path / "libs",))) == ()
    assert plain.unfound("libx.so.1", replace(NOWHERE, loaded=frozenset({"libx.so.1"}))) == ()
    assert plain.unfound("libx.so.1", replace(NOWHERE, cached=frozenset({"libx.so.1"}))) == ()
    for path in ("$ORIGIN/../libs", "${ORIGIN}/../libs", str(tmp_path / "libs"), f"/nowhere:{tmp_path / 'libs'}"):
        assert files_of(tmp_path, a=elf(needed=["libx.so.1"], runpath=path)).unfound("libx.so.1", NOWHERE) == ()
        assert files_of(tmp_path, a=elf(needed=["libx.so.1"], rpath=path)).unfound("libx.so.1", NOWHERE) == ()


def test_run_paths_are_not_inherited_and_old_ones_are(tmp_path: Path) -> None:
    """DT_RPATH of who brought a file in counts for what that file needs; DT_RUNPATH does not, and switches it off."""
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs/libx.so.1").touch()
    inner = elf(needed=["libx.so.1"], soname="inner.so")

    def unfound(inner: bytes, **paths: str) -> tuple[str, ...]:
        return files_of(tmp_path, inner=inner, outer=elf(needed=["inner.so"], **paths)).unfound("libx.so.1", NOWHERE)  # type: ignore[arg-type]

    libs = "$ORIGIN/../libs"
    assert unfound(inner) == ("pkg/inner.so",)
    assert unfound(inner, rpath=libs) == ()
    assert unfound(inner, runpath=libs) == ("pkg/inner.so",)
    assert unfound(inner, rpath=libs, runpath="/nowhere") == ("pkg/inner.so",)
    assert unfound(elf(needed=["libx.so.1"], soname="inner.so", runpath="/no"), rpath=libs) == ("pkg/inner.so",)


def test_files_that_need_each_other(tmp_path: Path) -> None:
    """A circle of libraries ends."""
    circle = files_of(tmp_path, a=elf(needed=["b.so", "libx.so.1"]), b=elf(needed=["a.so"]))
    assert circle.unfound("libx.so.1", NOWHERE) == ("pkg/a.so",)


def elf_files() -> Iterator[Path]:
    """The interpreter of this environment, and what is installed in it."""
    yield Path(sys.executable).resolve()
    yield from sorted(Path(sys.prefix).glob("lib/python3*/site-packages/**/*.so"))[:60]


def test_run_paths_of_real_files() -> None:
    """They are those that pyelftools reads."""
    for path in elf_files():
        with path.open("rb") as stream:
            segments = ELFFile(stream).iter_segments()
            tags = [tag for one in segments if isinstance(one, DynamicSegment) for tag in one.iter_tags()]
            rpath = [getattr(tag, "rpath") for tag in tags if tag.entry.d_tag == "DT_RPATH"]  # noqa: B009
            runpath = [getattr(tag, "runpath") for tag in tags if tag.entry.d_tag == "DT_RUNPATH"]  # noqa: B009
        expected = tuple(tuple(":".join(texts).split(":")) if texts else () for texts in (rpath, runpath))
        assert run_path(path.read_bytes()) == expected, path
    assert run_path(b"") == run_path(b"\x7fELF") == ((), ())


def test_the_cache_is_what_ldconfig_prints() -> None:
    """The cache of this machine's loader has the sonames that ldconfig lists."""
    ldconfig = shutil.which("ldconfig", path="/sbin:/usr/sbin")
    told = start(Path(sys.executable), {}, project=Path.cwd()) if sys.platform == "linux" else None
    if ldconfig is None or told is None or told.loader is None or not Path("/etc/ld.so.cache").exists():
        pytest.skip("no glibc with a cache")
    printed = subprocess.run([ldconfig, "-p"], check=True, capture_output=True, text=True).stdout
    expected = set(re.findall(r"^\t(\S+) \(", printed, re.MULTILINE))
    assert told.cached == cache.of_loader(told.loader).keys() == expected


@pytest.mark.parametrize("data", [b"", b"glibc-ld.so.cache1.1", b"glibc-ld.so.cache1.1" + b"\xff" * 40, b"x" * 100])
def test_a_damaged_cache_is_empty(data: bytes) -> None:
    """Bytes that are no cache, or end too early, name nothing."""
    assert cache.parse(data) == []
