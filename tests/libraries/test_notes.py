"""Notes about what nixpy does not set up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from nixpy.core.errors import NixpyError
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.libraries.catalogue import catalogue
from nixpy.libraries.match import Library, Rules, WheelNeeds, match
from nixpy.libraries.notes import notes, table
from nixpy.needs.model import Needs


def libraries(soname: str, *names: str, rules: Rules | None = None) -> tuple[Library, ...]:
    """Return the libraries of wheels that link to this one."""
    wheels = [
        WheelNeeds(
            system="x86_64-linux",
            name=canonicalize_name(name),
            filename=f"{name}-1-py3-none-any.whl",
            needs=Needs(known="sha256", sonames=((soname, "a.so"),)),
        )
        for name in names
    ]
    return match(wheels, rules)[0]


def test_a_library_has_one_note() -> None:
    """A library that two packages need has one note, which names both."""
    (found,) = notes(libraries("libvlc.so.5", "one", "two"), ())
    assert (found.code, found.level, found.package) == ("NIX105", "note", None)
    assert found.message == "libvlc.so.5, needed by one, two, needs its plugins, which it finds by VLC_PLUGIN_PATH"
    assert found.hint


def test_a_library_that_is_not_used_has_none() -> None:
    """No note for another library, one that is ignored or left out, or on macOS."""
    assert not [*notes(libraries("libz.so.1", "one"), ())]
    assert not [*notes(libraries("libvlc.so.5", "one", rules=Rules(ignore=("libvlc.so.5",))), ())]
    assert not [*notes([replace(one, wanted=False) for one in libraries("libvlc.so.5", "one")], ())]
    assert not [*notes([replace(one, systems=("aarch64-darwin",)) for one in libraries("libvlc.so.5", "one")], ())]


@pytest.mark.parametrize(
    ("package", "words"), [("jpype1", "JAVA_HOME"), ("evdev", "linux/input.h"), ("wxpython", "GTK 3")]
)
def test_packages(package: str, words: str) -> None:
    """A package has its note, and other packages have none."""
    (found,) = notes((), {package, "numpy"})
    assert isinstance(found, Diagnostic)
    assert (found.level, found.package) == ("note", package)
    assert found.message.startswith(f"{package} ")
    assert words in found.message


def test_rows_name_what_exists() -> None:
    """Packages have normalised names; sonames are in the catalogue; hints are sentences."""
    for (kind, name), (note, hint) in table().items():
        assert hint[0].isupper(), name
        assert hint.endswith("."), name
        assert not note.endswith("."), name
        if kind == "package":
            assert name == canonicalize_name(name)
        else:
            assert catalogue().find(name), name


@pytest.mark.parametrize("row", ["library,a,b,c,d", "package,a,,c,d", "package,a,b,c"])
def test_a_malformed_row_is_an_error(row: str, tmp_path: Path) -> None:
    """The error has the line."""
    path = tmp_path / "notes.csv"
    path.write_text(f"kind,name,note,hint,source\n{row}\n")
    with pytest.raises(NixpyError) as error:
        table(path)
    assert error.value.line == 2
