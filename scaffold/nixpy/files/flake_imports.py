"""Find the generated files that the user's flake.nix and shell.nix import."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nixpy.core.read_file import read_lossy
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.files.reconcile import State, own_state

_IMPORT = re.compile(r"\./([A-Za-z0-9._+/-]{1,255}\.nix)")


def imports(entry: Path, file: str) -> bool:
    """Return whether a flake.nix or shell.nix imports the generated `file`.

    The path is relative to its own folder.
    """
    return f"./{file}" in read_lossy(entry)


def left_behind(root: Path, file: str) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each import of an earlier generated file.

    nixpy looks at flake.nix and shell.nix in `root`.
    """
    for entry in (root / "flake.nix", root / "shell.nix"):
        if not entry.is_file() or imports(entry, file):
            continue
        named = dict.fromkeys(_IMPORT.findall(read_lossy(entry)))
        for other in (name for name in named if own_state(root / name) not in (State.MISSING, State.FOREIGN)):
            yield Diagnostic(
                code="NIX205",
                message=f"{entry.name} imports ./{other}, but the generated file is {file}",
                hint=f"Write ./{file} in {entry.name}, and remove the old file and its nixpy.lock.",
            )
