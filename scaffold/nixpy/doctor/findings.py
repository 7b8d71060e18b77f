"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong. `code` is stable (NIX401 …); `command` mends it, run in the project's folder."""

    code: str
    message: str
    command: str
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmade:
    """A check that could not be made, and why."""

    check: str
    reason: str
