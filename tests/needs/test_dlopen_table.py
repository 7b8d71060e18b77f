"""The table of names opened at run time: its loader is strict, and its rows are sound."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from nixpy.core.errors import NixpyError
from nixpy.needs import plugins
from nixpy.needs.dlopen import DATA, DlopenRow, curated, load, without_open
from nixpy.needs.glibc import is_glibc

HEAD = "package,kind,value,unless,note\n"


def table(folder: Path, text: str) -> Path:
    """Write a table."""
    path = folder / "dlopen.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_are_read(tmp_path: Path) -> None:
    """Each line becomes a row, with several names in `unless`."""
    path = table(tmp_path, HEAD + "a-b,dlopen,libz.so.1,c d-e,find_library\nb,optional-files,*/x.*,,a pattern\n")
    assert load(path) == (
        DlopenRow(package="a-b", kind="dlopen", value="libz.so.1", unless=("c", "d-e")),
        DlopenRow(package="b", kind="optional-files", value="*/x.*"),
    )


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "columns"),
        ("package,kind,value,note\n", 1, "columns"),
        (HEAD + "a,dlopen,libz.so.1,,x\nA_b,dlopen,libz.so.1,,x\n", 3, "A_b"),
        (HEAD + "a,dlopen,libz.so.1,B.C,x\n", 2, "B.C"),
        (HEAD + "a,opens,libz.so.1,,x\n", 2, "opens"),
        (HEAD + "a,dlopen,libz,,x\n", 2, "libz"),
        (HEAD + "a,dlopen,libz.so.1 libm.so.6,,x\n", 2, "soname"),
        (HEAD + "a,optional-files,,,x\n", 2, "pattern"),
        (HEAD + "a,dlopen,libz.so.1,, \n", 2, "note"),
        (HEAD + "a,dlopen,libz.so.1,x\n", 2, "4 columns"),
        (HEAD + "\n", 2, "0 columns"),
        (HEAD + "b,dlopen,libz.so.1,,x\na,dlopen,libz.so.1,,x\n", 3, "comes after"),
        (HEAD + "a,dlopen,libz.so.1,,x\na,dlopen,libz.so.1,c,y\n", 3, "twice"),
        (HEAD + 'a,dlopen,"libz.so.1,,x\n', 2, "CSV"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, text: str, line: int, said: str) -> None:
    """A table with a mistake is refused whole, and the error names file, line and mistake."""
    path = table(tmp_path, text)
    with pytest.raises(NixpyError, match=said) as caught:
        load(path)
    assert (caught.value.path, caught.value.line) == (path, line)
    assert caught.value.hint


def test_table_is_sound() -> None:
    """Every row loads, names no library of glibc, and no package both needs and spares the same files."""
    rows = load(DATA)
    assert len(rows) + len(plugins.load(plugins.DATA)) > 80  # the plugins of Qt have a table of their own
    assert not [row for row in rows if row.kind == "dlopen" and is_glibc(row.value)]
    patterns = [(row.package, row.value) for row in rows if row.kind != "dlopen"]
    assert len(patterns) == len(set(patterns))


def test_package_without_rows() -> None:
    """Most packages have no rules, and then nothing is opened, required or spared."""
    none = curated(NormalizedName("requests"))
    assert none.opens == ()
    assert not none.requires("a/libx.so")
    assert not none.spares("a/libx.so")


def test_patterns_cross_folders_and_know_case() -> None:
    """A pattern is held against the whole path, `*` includes `/`, and case counts."""
    numba = curated(NormalizedName("numba"))
    assert numba.spares("numba/np/ufunc/tbbpool.cpython-312-x86_64-linux-gnu.so")
    assert not numba.spares("numba/np/ufunc/TBBPOOL.cpython-312-x86_64-linux-gnu.so")
    assert not numba.spares("other/numba/np/ufunc/tbbpool.so")
    assert curated(NormalizedName("panda3d")).requires("panda3d/libpandagl.so")


def test_soname_that_a_neighbour_brings() -> None:
    """Psycopg opens libpq itself only where psycopg-binary, which carries one, is not installed."""
    assert without_open(NormalizedName("psycopg"), "libpq.so.5") == {"psycopg-binary"}
    assert without_open(NormalizedName("python-magic"), "libmagic.so.1") == frozenset()
    assert without_open(NormalizedName("requests"), "libz.so.1") == frozenset()
