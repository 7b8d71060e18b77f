"""This repository, as its own flake sees it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).parents[2]


def copy_repository(folder: Path) -> None:
    """Put what git knows of this repository, and what it would let one add, into a new folder."""
    known = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in subprocess.run(known, cwd=TOP, check=True, capture_output=True, text=True).stdout.split("\0"):
        if name and (TOP / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / name, folder / name)
