"""New projects for tests: what `nixpy new` makes, in every style and with every manager, installed in every way."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixpy.commands import new
from nixpy.project import managers
from nixpy.styles.styles import styles
from suite.shared import alone

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
        with alone(folder.parent):
            if not folder.exists():
                new.create(folder, {"style": style, "manager": manager}, ask=False)
        return folder

    def copy(self, target: Path, style: str, manager: str) -> Path:
        """A copy of it in the folder `target`, to be changed."""
        return Path(shutil.copytree(self.at(style, manager), target))


class Installed:
    """A nixpy that was installed in one way or another."""

    def __init__(self, direct: Mapping[str, Any] | None) -> None:
        self.direct = direct

    def read_text(self, name: str) -> str | None:
        """The file of the metadata with that name."""
        assert name == "direct_url.json"
        return None if self.direct is None else json.dumps(self.direct)


def from_git(url: str, commit: str = "0" * 40) -> Mapping[str, Any]:
    """What pip writes down of an installation from there (PEP 610)."""
    return {"url": url, "vcs_info": {"vcs": "git", "commit_id": commit}}
