"""Runs nixpy as a person does, but in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nixpy.cli import main


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run of nixpy printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The report."""
        return json.loads(self.out)


class Nixpy:
    """Runs nixpy with arguments, in the test's own cache and with its index."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str | Path, cwd: Path | None = None) -> Ran:
        """Run and return; the status is nixpy's own."""
        if cwd is not None:
            self._monkeypatch.chdir(cwd)
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        captured = self._capsys.readouterr()
        assert isinstance(exit_.value.code, int)
        return Ran(exit_.value.code, captured.out, captured.err)
