"""A folder as git knows it, which is how a flake sees it; this repository among them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).parents[2]


def copy_repository(folder: Path) -> None:
    """Put what git knows of this repository, and what it would let one add, into a new folder."""
    copy_known(TOP, folder, "--cached", "--others", "--exclude-standard")


def copy_known(source: Path, folder: Path, *options: str) -> None:
    """Put what git knows of one folder, by these options of `git ls-files`, into another."""
    listed = ["git", "ls-files", "-z", *options]
    for name in subprocess.run(listed, cwd=source, check=True, capture_output=True, text=True).stdout.split("\0"):
        if name and (source / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, folder / name)
