"""The programs that nixpy starts. No other module starts one: `tests/core/test_programs.py` reads them all.

| program | who starts it | for what |
| --- | --- | --- |
| uv | `index/uv_tool.py` | its version; to resolve a project without a lock |
| git | `doctor/project_folder.py` | which files of a flake the tree has |
| python | `doctor/interpreter.py` | its version and libraries, where it lies outside the checkout |

Nix is never started by nixpy. `nixpy new` uses copier, which starts git for a template that is a git repository, and
`--allow-build` lets uv start what builds a package.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

Name = Literal["uv", "git", "python"]
CompletedProcess = subprocess.CompletedProcess[str]
SubprocessError = subprocess.SubprocessError  # such as a program that takes too long


def find(name: Name, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the program of that name in the first folder of PATH that has it, None where none has.

    Entries that are no absolute path start at the working folder, which may be a stranger's, and are left out.
    """
    found = shutil.which(name, path=search_path(environ))
    return Path(found) if found else None


def search_path(environ: Mapping[str, str]) -> str:
    """Return PATH without the entries that are no absolute path."""
    return os.pathsep.join(entry for entry in environ.get("PATH", "").split(os.pathsep) if Path(entry).is_absolute())


def run(
    name: Name,
    path: Path,
    arguments: Sequence[str | Path],
    *,
    environ: Mapping[str, str] = os.environ,
    cwd: Path | None = None,
    timeout: float | None = None,
) -> CompletedProcess:
    """Run the program `name`, which lies at `path`, without input, and return its status and what it wrote.

    No shell takes part, and the program has a PATH without relative entries. `timeout` is in seconds. Raises OSError
    where it does not start, SubprocessError where it takes too long, and ValueError for a path that is not absolute.
    """
    if not path.is_absolute():
        raise ValueError(f"{name} is not started: {path} is not an absolute path")
    return subprocess.run(
        [path, *arguments],
        cwd=cwd,
        env={**environ, "PATH": search_path(environ)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        check=False,
    )
