"""Define the options of an analysis.

They are the sources of facts, and the facts that are needed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from nixpy.analysis.nixpylock import Wheel
from nixpy.locks.model import Unavailable

if TYPE_CHECKING:
    from nixpy.wheels.gather import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisOptions:
    """How the wheels of a project are analysed.

    - `known_wheels` and `known_unavailable` come from an earlier nixpy.lock; `rescan` opens every wheel again.
    - With `metadata`, nixpy also reads the requirements of each wheel, for styles that install from nixpy.lock.
      `requirements` are then those of the project itself, or None if the project does not name them all.
    - `upgrade` lets uv choose newer versions if no lock pins them.
    - With `other_pythons`, nixpy looks for a Python for which every package has a wheel, if some have none.
    - `allow_build` lets uv build packages without a wheel to find their requirements: all, or those with these names.
    """

    root: Path
    venv: Path | None = None  # that of the project by default
    index_urls: tuple[str, ...] = field(default=(), repr=False)  # from requirements files, with their credentials
    offline: bool = False
    rescan: bool = False
    metadata: bool = False
    requirements: tuple[Requirement, ...] | None = None
    upgrade: bool = False
    other_pythons: bool = False
    allow_build: bool | Collection[str] = False
    known_wheels: tuple[Wheel, ...] = ()
    known_unavailable: tuple[Unavailable, ...] = ()
    progress: Progress | None = None
