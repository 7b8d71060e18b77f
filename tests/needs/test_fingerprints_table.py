"""The table of components: its loader is strict, and its rows are sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixpy.core.errors import NixpyError
from nixpy.needs.fingerprints import DATA, Fingerprint, Opened, fingerprints, load
from nixpy.needs.glibc import is_glibc

HEAD = "component,kind,value,string,server,note\n"
MARKER = "A,marker,a text that only A has,,,all versions\n"
LIKELY = "A,likely,liba.so.1,,,traced\n"


def table(folder: Path, text: str) -> Path:
    """Write a table."""
    path = folder / "fingerprints.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_are_read(tmp_path: Path) -> None:
    """The rows of a component are its markers and the libraries that it opens."""
    more = "A,possible,libb.so.2 libb.so,a text beside it,x11,source\n"
    assert load(table(tmp_path, HEAD + LIKELY + MARKER + more)) == (
        Fingerprint(
            component="A",
            markers=("a text that only A has",),
            libraries=(
                Opened(names=("liba.so.1",), certainty="likely"),
                Opened(names=("libb.so.2", "libb.so"), certainty="possible", string="a text beside it", server="x11"),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("component,kind,value,server,note\n", 1, "columns"),
        (HEAD + LIKELY, 2, "lacks markers"),
        (HEAD + MARKER, 2, "lacks markers"),
        (HEAD + LIKELY + MARKER + "B,likely,libb.so.1,,,x\n", 4, "B lacks markers"),
        (HEAD + MARKER + LIKELY, 3, "comes after"),
        (HEAD + LIKELY + LIKELY + MARKER, 3, "twice"),
        (HEAD + LIKELY + "A,marker,too short,,,x\n", 3, "not a marker"),
        (HEAD + LIKELY + "A,marker,a text that only A has,,x11,x\n", 3, "not a marker"),
        (HEAD + "A,certain,liba.so.1,,,x\n" + MARKER, 2, "certain"),
        (HEAD + "A,likely,liba,,,x\n" + MARKER, 2, "'liba'"),
        (HEAD + "A,likely,,,,x\n" + MARKER, 2, "no name"),
        (HEAD + "A,likely,liba.so liba.so,,,x\n" + MARKER, 2, "twice"),
        (HEAD + LIKELY + MARKER + "A,possible,libb.so liba.so.1,,,x\n", 4, "twice"),
        (HEAD + "A,likely,liba.so.1,,windows,x\n" + MARKER, 2, "windows"),
        (HEAD + "A,likely,liba.so.1,short,,x\n" + MARKER, 2, "short"),
        (HEAD + "A,likely,liba.so.1,,, \n" + MARKER, 2, "note"),
        (HEAD + ",likely,liba.so.1,,,x\n", 2, "component"),
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
    """The table has the components that wheels ship most, and names no library of glibc."""
    found = {one.component for one in load(DATA)}
    assert {"CUDA runtime", "GLFW", "OpenAL Soft", "OpenGL loader", "PortAudio", "SDL 2", "SDL 3", "miniaudio"} <= found
    assert not [name for one in fingerprints() for name in one.names if is_glibc(name)]


def test_markers_differ() -> None:
    """No component has the markers of another one, unless it has more: a part of it that not every file has."""
    components = fingerprints()
    for one in components:
        for other in components:
            if one is not other and set(one.markers) <= set(other.markers):
                assert other.component.startswith(f"{one.component} ")
