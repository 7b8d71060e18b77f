"""Define the results of checks of `nixpy doctor`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineDiagnostic:
    """One diagnostic of this machine.

    `code` is stable (NIX401 …); `command` fixes it, run in the project's folder.
    """

    code: str
    message: str
    command: str
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A check that could not run, and why."""

    check: str
    reason: str
