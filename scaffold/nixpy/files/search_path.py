"""Find the user's own lines that set LD_LIBRARY_PATH for a whole shell.

Guides for Python on NixOS recommend such a line. It stays in effect in nixpy's shell. nixpy does not evaluate Nix:
an attribute LD_LIBRARY_PATH counts where the file defines a shell, and an `export` in a shell hook or in .envrc.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from nixpy.core.errors import NixpyError
from nixpy.core.read_file import is_file, read_lossy
from nixpy.diagnostics.diagnostic import Diagnostic, shorten
from nixpy.files import envrc, flake_imports
from nixpy.files.nix_sources import NixSource, absolute
from nixpy.project.project import Project

_SHELL = re.compile(r"\bmkShell(?:NoCC)?\b")
_ATTRIBUTE = re.compile(r"(?<![\w'-])LD_LIBRARY_PATH\s*=(?!=)")
_EXPORT = re.compile(r"^[^#\n]*\bexport\s+LD_LIBRARY_PATH=", re.MULTILINE)


def exported(project: Project) -> Iterator[Diagnostic]:
    """Yield NIX226 if the user's files set LD_LIBRARY_PATH for a whole shell.

    nixpy looks at .envrc, flake.nix, shell.nix, default.nix and devenv.nix, and not at the files that they name.
    """
    if places := list(_places(project)):
        yield Diagnostic(
            code="NIX226",
            message=f"LD_LIBRARY_PATH is set in {shorten(places)}: every program in that shell loads its libraries "
            "from there first",
            hint="Remove it: nixpy gives Python the libraries of its wheels. Name others under `add` in "
            "[tool.nixpy.libraries].",
        )


def _places(project: Project) -> Iterator[str]:
    """Yield FILE:LINE of each line that sets the variable."""
    for path in (*flake_imports.entries(project.root), project.root / envrc.NAME):
        try:
            source = NixSource(absolute(path), read_lossy(path) if is_file(path) else "")
        except (OSError, NixpyError):
            continue
        found = [match.end() for match in _EXPORT.finditer(source.text)]
        if path.name == flake_imports.DEVENV or _SHELL.search(source.code):
            found += (match.end() for match in _ATTRIBUTE.finditer(source.code))
        name = os.path.relpath(path, project.root)
        yield from (f"{name}:{source.line(offset)}" for offset in sorted(found))
