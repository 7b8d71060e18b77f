"""Symbol versions: what a file needs of a library, and what the library that the loader finds defines."""

from __future__ import annotations

from pathlib import Path

from elfbuild import elf
from nixpy.doctor.facts import MissingVersion
from nixpy.doctor.loader import Files, Search
from nixpy.doctor.versions import missing_versions
from nixpy.needs.elf import needed_versions, read

NEW = {"libx.so.1": ["X_1.0", "X_2.0"]}
LOADER = Path("/lib64/ld-linux-x86-64.so.2")


def library(path: Path, *versions: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(elf(soname=path.name, defines=versions))
    return path


def found(
    folder: Path,
    data: bytes,
    *folders: Path,
    shipped: dict[str, list[Path]] | None = None,
    search: Search | None = None,
) -> list[MissingVersion]:
    """The versions that a file misses if the process searches these folders."""
    place = folder / "pkg/a.so"
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(data)
    facts = read(data, "pkg/a.so")
    assert facts
    files = Files(files=(facts,), places={"pkg/a.so": place})
    needed = {"pkg/a.so": needed_versions(data)}
    return list(missing_versions("demo", files, needed, search or Search(folders=folders), None, shipped or {}))


def test_a_library_that_is_too_old(tmp_path: Path) -> None:
    """The version that it lacks is named, and its newest one with the same name."""
    old = library(tmp_path / "old/libx.so.1", "libx.so.1", "X_1.0", "X_1.9", "X_1.10", "Y_3")
    (missing,) = found(tmp_path, elf(needed=["libx.so.1"], versions=NEW), old.parent)
    assert (missing.version, missing.soname, missing.library, missing.newest) == ("X_2.0", "libx.so.1", old, "X_1.10")


def test_a_library_that_has_it(tmp_path: Path) -> None:
    """It is new enough; or it defines no versions, and then the loader accepts all."""
    data = elf(needed=["libx.so.1"], versions=NEW)
    assert found(tmp_path, data, library(tmp_path / "new/libx.so.1", "X_1.0", "X_2.0").parent) == []
    assert found(tmp_path, data, library(tmp_path / "none/libx.so.1").parent) == []
    assert found(tmp_path, data, tmp_path / "nowhere") == []  # NIX409 reports that
    (tmp_path / "text").mkdir()
    (tmp_path / "text/libx.so.1").write_text("INPUT(libx.so.2)")
    assert found(tmp_path, data, tmp_path / "text") == []


def test_weak_needs(tmp_path: Path) -> None:
    """The loader starts a file whose weak version is missing."""
    old = library(tmp_path / "old/libx.so.1", "X_1.0")
    assert found(tmp_path, elf(needed=["libx.so.1"], versions=NEW, weak=True), old.parent) == []


def test_the_order_of_the_search(tmp_path: Path) -> None:
    """A loaded library comes first, then the run path of the file, then the folders, then the cache."""
    old, new = library(tmp_path / "old/libx.so.1", "X_1.0"), library(tmp_path / "new/libx.so.1", "X_1.0", "X_2.0")
    data = elf(needed=["libx.so.1"], versions=NEW)
    assert [one.library for one in found(tmp_path, data, old.parent, new.parent)] == [old]
    assert found(tmp_path, data, new.parent, old.parent) == []
    runpath = elf(needed=["libx.so.1"], versions=NEW, runpath="$ORIGIN/../new")
    assert found(tmp_path, runpath, tmp_path / "nowhere") == []
    loaded = Search(folders=(new.parent,), loaded=frozenset({"libx.so.1"}), libraries={"libx.so.1": old})
    assert [one.library for one in found(tmp_path, runpath, search=loaded)] == [old]
    cached = Search(folders=(new.parent,), cached=frozenset({"libx.so.1"}), libraries={"libx.so.1": old})
    assert found(tmp_path, data, search=cached) == []
    cached = Search(folders=(), cached=frozenset({"libx.so.1"}), libraries={"libx.so.1": old})
    assert [one.library for one in found(tmp_path, data, search=cached)] == [old]


def test_a_library_of_another_wheel(tmp_path: Path) -> None:
    """A wheel may have loaded it before, from another folder."""
    old, new = library(tmp_path / "old/libx.so.1", "X_1.0"), library(tmp_path / "new/libx.so.1", "X_2.0")
    data = elf(needed=["libx.so.1"], versions=NEW)
    assert found(tmp_path, data, old.parent, shipped={"libx.so.1": [new]}) == []


def test_programs_for_another_loader(tmp_path: Path) -> None:
    """Only those of the interpreter's loader search as it does."""
    library(tmp_path / "old/libx.so.1", "X_1.0")
    data = elf(needed=["libx.so.1"], versions=NEW, interpreter=b"/nowhere/ld.so\0")
    place = tmp_path / "tool"
    place.write_bytes(data)
    facts = read(data, "tool")
    assert facts
    files = Files(files=(facts,), places={"tool": place})
    needed, search = {"tool": needed_versions(data)}, Search(folders=(tmp_path / "old",))
    assert list(missing_versions("demo", files, needed, search, LOADER, {})) == []
    assert len(list(missing_versions("demo", files, needed, search, Path("/nowhere/ld.so"), {}))) == 1
