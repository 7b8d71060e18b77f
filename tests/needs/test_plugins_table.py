"""The table of folders of plugins: its loader is strict, and its rows are sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixpy.core.errors import NixpyError
from nixpy.needs.model import Certainty
from nixpy.needs.plugins import DATA, PluginRow, load, plugin

HEAD = "folder,files,certainty,note\n"


def table(folder: Path, text: str) -> Path:
    """Write a table."""
    path = folder / "plugins.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_are_read(tmp_path: Path) -> None:
    """Each line becomes a row."""
    path = table(tmp_path, HEAD + "plugins/a,*.so,likely,x\nplugins/b,libb.so,certain,y\n")
    assert load(path) == (
        PluginRow(folder="plugins/a", files="*.so", certainty="likely"),
        PluginRow(folder="plugins/b", files="libb.so", certainty="certain"),
    )


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "columns"),
        (HEAD + "plugins,*.so,likely\n", 2, "3 columns"),
        (HEAD + "libs,*.so,likely,x\n", 2, "libs"),
        (HEAD + "plugins,*.so,sure,x\n", 2, "sure"),
        (HEAD + "plugins,,likely,x\n", 2, "pattern"),
        (HEAD + "plugins,*.so,likely, \n", 2, "note"),
        (HEAD + "plugins/b,*.so,likely,x\nplugins/a,*.so,likely,x\n", 3, "comes after"),
        (HEAD + "plugins,*.so,likely,x\nplugins,*.so,certain,x\n", 3, "twice"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, text: str, line: int, said: str) -> None:
    """A table with a mistake is refused whole, and the error names file, line and mistake."""
    path = table(tmp_path, text)
    with pytest.raises(NixpyError, match=said) as caught:
        load(path)
    assert (caught.value.path, caught.value.line) == (path, line)


@pytest.mark.parametrize(
    ("path", "certainty"),
    [
        ("PySide6/Qt/plugins/platforms/libqxcb.so", "certain"),
        ("PyQt6/Qt6/plugins/platforms/libqwayland-egl.so", "certain"),
        ("cv2/qt/plugins/platforms/libqxcb.so", "certain"),
        ("PyQt6/Qt6/plugins/platforms/libqeglfs.so", "possible"),
        ("PyQt6/Qt6/plugins/imageformats/libqsvg.so", "likely"),
        ("PyQt6/Qt6/plugins/sqldrivers/libqsqlite.so", "likely"),
        ("PyQt6/Qt6/plugins/sqldrivers/libqsqlpsql.so", "possible"),
        ("PySide6/Qt/qml/QtQuick/libqtquick2plugin.so", "possible"),
        ("mesh-1.0.data/purelib/mesh/lib/plugins/libfilter.so", "likely"),
        ("mesh/lib/plugins/other/libfilter.so", "possible"),
        ("mesh/lib/myplugins/libfilter.so", None),
        ("plugins", None),
    ],
)
def test_certainty_of_a_plugin(path: str, certainty: Certainty | None) -> None:
    """The last folders and the name decide; a plugin without a row is possible, and other files are no plugins."""
    assert plugin(path) == certainty


def test_the_table_loads() -> None:
    """Each row of the table is sound."""
    assert len(load(DATA)) > 20
