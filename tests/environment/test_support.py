"""`init` says until when nixpkgs is supported, and `init` and `sync` report a branch without support."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from nixpy.nixpkgs import releases
from runner import Nixpy


@pytest.fixture
def until() -> date:
    """The last day of support of the current branch."""
    found = releases.release(releases.current()).until
    assert found is not None
    return found


@pytest.mark.parametrize("days", [0, 1])
def test_the_end_of_support_is_reported(
    days: int, until: date, tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NIX211 appears on the day after the last day of support, in `init` and `sync` and not in `check`."""
    monkeypatch.setattr(releases, "today", lambda: until + timedelta(days=days))
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "demo"\nversion = "1"\ndependencies = []\n')
    made = nixpy("init", tmp_path, "--style", "loader")
    assert f"supported until {until}" in " ".join(made.out.split())
    assert ("NIX211" in made.out + made.err) == bool(days)
    synced = nixpy("sync", tmp_path)
    said = " ".join((synced.out + synced.err).split())
    assert (f"warning[NIX211]: the support of {releases.current()} ended on {until}" in said) == bool(days)
    assert "NIX211" not in (checked := nixpy("check", tmp_path)).out + checked.err
    assert checked.status == 0
