"""Define the results of checks of `nixpy doctor`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from nixpy.diagnostics.diagnostic import Cause, shorten
from nixpy.diagnostics.grouping import PACKAGES, group

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
    cause: Cause | None = field(default=None, compare=False, repr=False)


def in_groups(diagnostics: Iterable[MachineDiagnostic]) -> tuple[MachineDiagnostic, ...]:
    """Return the diagnostics, those of one cause and one command as one."""
    return group(diagnostics, _merge)


def _merge(found: Sequence[MachineDiagnostic], message: str, command: str | None) -> MachineDiagnostic:
    packages = tuple(sorted({package for one in found for package in one.packages}))
    text = message.replace(PACKAGES, shorten(packages))
    return replace(found[0], message=text, command=command or found[0].command, packages=packages, cause=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A check that could not run, and why.

    Without an `essential` check, doctor does not know whether the project works here.
    """

    check: str
    reason: str
    essential: bool = True
