"""Define the results of checks of `nixpy doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "note"]
"""An error makes the exit status 1; a warning and a note do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineDiagnostic:
    """One diagnostic of this machine.

    `code` is stable (NIX401 …); `command` fixes it, run in the project's folder.
    """

    code: str
    message: str
    command: str
    packages: tuple[str, ...] = ()
    level: Level = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A check that could not run, and why.

    Without an `essential` check, doctor does not know whether the project works here.
    """

    check: str
    reason: str
    essential: bool = True
