"""Where the facts of an analysis may come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from nixpy.analysis.nixpylock import Wheel
from nixpy.locks.model import Unavailable

if TYPE_CHECKING:
    from nixpy.wheels.gather import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where facts may come from, and who is told how far it is.

    `known` are wheels whose needs were recorded before, and `lacking` packages that had no wheel then; `rescan` opens
    every wheel again; with `metadata` what each requires is found out too, for styles that install by nixpy.lock, and
    `asked` is what the project itself asks for, None where it does not tell; `upgrade` lets uv choose newer versions
    where there is no lock that holds them, and `allow_build` build what has no wheel to learn its needs.
    """

    root: Path
    venv: Path | None = None  # the project's own by default
    index_urls: tuple[str, ...] = field(default=(), repr=False)  # what requirements files name, logins and all
    offline: bool = False
    rescan: bool = False
    metadata: bool = False
    asked: tuple[Requirement, ...] | None = None
    upgrade: bool = False
    allow_build: bool = False
    known: tuple[Wheel, ...] = ()
    lacking: tuple[Unavailable, ...] = ()
    progress: Progress | None = None
