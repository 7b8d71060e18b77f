"""What a test expects in files is held, and written when that is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from suite import expected


def test_a_difference_fails_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable a text that differs, or a file that is missing, fails, and no file is written."""
    monkeypatch.delenv(expected.VARIABLE, raising=False)
    (tmp_path / "a").write_bytes(b"one\r\n")
    expected.hold(tmp_path, {"a": "one\r\n"})
    for seen in ({"a": "one\n"}, {"a": "one\r\n", "b": ""}):
        with pytest.raises(AssertionError, match=expected.VARIABLE):
            expected.hold(tmp_path, seen)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"one\r\n"}


def test_the_variable_writes_what_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With it the files become what was seen, and the test passes without it afterwards."""
    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setenv(expected.VARIABLE, "1")
    expected.hold(tmp_path, {"a": "new\r\n", "b": "more"})
    monkeypatch.delenv(expected.VARIABLE)
    expected.hold(tmp_path, {"a": "new\r\n", "b": "more"})
