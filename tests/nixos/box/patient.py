"""A project in the box with a .venv, for `nixpy doctor` to look at, and what it reports."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixos.box.sandbox import HOME, Box

NIXPY = f"{HOME}/tools/bin/python -m nixpy"
PROJECT = f"{HOME}/project"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A project in the box with a .venv that works, and its shell, of style loader."""

    box: Box

    @property
    def folder(self) -> Path:
        """Where the project lies on this machine."""
        return self.box.home / "project"

    def shell(self, script: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The finished run of a script in the shell, as `nix develop` sets it up; its hook is run each time."""
        return self.box.run("bash", "-c", f"source {HOME}/shell; set -eu; {script}", cwd=PROJECT, check=check)

    def doctor(self, script: str = "", options: str = "", *, inside: bool = True) -> Report:
        """The report, made in the shell or outside of it, after a script."""
        command = f"{script or 'true'}; {NIXPY} doctor {options} --format json || [ $? = 1 ]"
        run = self.shell if inside else lambda text: self.box.run("bash", "-euc", text, cwd=PROJECT)
        printed = run(command).stdout
        return Report(json.loads(printed[printed.index('{\n  "format"') :]))


class Report:
    """What the command said, as JSON."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        assert data["format"] == 1

    @property
    def codes(self) -> set[str]:
        """The codes of the findings."""
        return {finding["code"] for finding in self.data["findings"]}

    def all(self, code: str) -> list[dict[str, Any]]:
        """The findings with this code."""
        return [finding for finding in self.data["findings"] if finding["code"] == code]

    def one(self, code: str) -> dict[str, Any]:
        """The only finding with this code."""
        (found,) = self.all(code)
        return found

    def command(self, code: str) -> str:
        """The command that is to mend it."""
        return str(self.one(code)["command"])
