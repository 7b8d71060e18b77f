"""New projects for tests: what `nixpy new` makes, in every style and with every manager."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from nixpy import managers, new
from nixpy.styles import styles

OFFERED = tuple(style.name for style in styles() if style.name != "poetry2nix")
# Every style that is offered, with each manager that goes with it.
COMBINATIONS = tuple(
    (style, manager) for style in OFFERED for manager in (("uv",) if style == "uv2nix" else managers.NAMES)
)


@dataclass(frozen=True, slots=True)
class NewProjects:
    """New projects, each made once; they are called demo, and what else is asked is as by default."""

    folder: Path

    def at(self, style: str, manager: str) -> Path:
        """Where the one in that style and with that manager lies, to be read."""
        folder = self.folder / f"{style}-{manager}" / "demo"
        if not folder.exists():
            new.create(folder, {"style": style, "manager": manager}, ask=False)
        return folder

    def copy(self, target: Path, style: str, manager: str) -> Path:
        """A copy of it in the folder `target`, to be changed."""
        return Path(shutil.copytree(self.at(style, manager), target))
