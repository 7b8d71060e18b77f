"""Templates are compiled once and kept; what is rendered is nevertheless what they say now."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest

from nixpy import render

Rendered = Callable[[], str]


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of templates, and one for temporary files."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "temporary").mkdir()
    (tmp_path / "templates" / "one.jinja").write_text("one {{ env.name }}")
    monkeypatch.setattr(render, "template_root", lambda: tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    yield tmp_path / "templates"
    render._jinja.cache_clear()


def rendered() -> str:
    """Render as another run of nixpy does, which has nothing in memory."""
    render._jinja.cache_clear()
    return render.render("one.jinja", {"name": "numpy"})


def kept(templates: Path) -> list[Path]:
    """Return the files that are kept of compiled templates."""
    return [path for path in templates.with_name("temporary").rglob("*") if path.is_file()]


def test_a_template_is_compiled_once(templates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run compiles nothing, and finds what it needs in a folder that nobody else can write to."""
    assert rendered() == "one numpy"

    def compiled(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(jinja2.Environment, "compile", compiled)
    assert rendered() == "one numpy"
    (file,) = kept(templates)
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_changed_template_is_noticed(templates: Path) -> None:
    """What was compiled of another text is not used, whatever the age of the file says."""
    assert rendered() == "one numpy"
    (templates / "one.jinja").write_text("two {{ env.name }}")
    assert rendered() == "two numpy"


@pytest.mark.parametrize("length", [0, 3, 40, 60])
def test_a_damaged_file_is_made_anew(templates: Path, length: int) -> None:
    """A file that was cut, wherever, does no harm."""
    assert rendered() == "one numpy"
    (file,) = kept(templates)
    whole = file.read_bytes()
    assert len(whole) > length
    file.write_bytes(whole[:length])
    assert rendered() == "one numpy"
    assert file.read_bytes() == whole


def test_without_a_place_to_keep_it(templates: Path) -> None:
    """No folder for temporary files, or one that another user could write to, is no error; nothing is kept there."""
    folder = templates.with_name("temporary")
    folder.rmdir()
    assert rendered() == "one numpy"
    folder.mkdir()
    elsewhere = templates.with_name("elsewhere")
    elsewhere.mkdir()
    assert rendered() == "one numpy"
    (file,) = kept(templates)
    file.unlink()
    file.parent.rmdir()
    file.parent.symlink_to(elsewhere)
    assert rendered() == "one numpy"
    assert not list(elsewhere.iterdir())
