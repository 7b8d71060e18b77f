"""Start programs.

No other module starts one: `tests/core/test_programs.py` reads all modules.

| program | module | purpose |
| --- | --- | --- |
| uv | `index/uv_tool.py` | its version; to resolve a project without a lock |
| git | `core/git.py` | whether git tracks the files of a flake; the folders that git ignores |
| python | `doctor/interpreter.py` | its version and libraries, if it is outside the checkout |

nixpy starts no program of the checkout: it ignores relative entries of PATH, programs in the git tree of the project,
and links into it. nixpy never starts Nix. copier, which `nixpy new` uses, finds no program. uv starts the Python that
runs nixpy, git for requirements with the address of a repository, and build systems with `--allow-build`.

`nixpy patch` runs `templates/nix/programs/patch_venv.py`, which the shell of style patched-venv also has without
nixpy. That starts the patchelf that this shell names by its path in the store.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

Name = Literal["uv", "git", "python"]
CompletedProcess = subprocess.CompletedProcess[str]
SubprocessError = subprocess.SubprocessError  # such as a program that takes too long
_LOG = logging.getLogger(__name__)
OWN = "it is among the project's own files"  # why a program is not started


def find(name: Name, environ: Mapping[str, str] = os.environ, *, project: Path) -> Path | None:
    """Return the first program of that name on PATH outside the checkout.

    Returns None if there is none.

    `project` is a folder of the checkout.
    """
    tree = checkout(project)
    return next((path for path in _on_path(name, environ) if not _of_checkout(path, tree)), None)


def left_out(name: Name, environ: Mapping[str, str] = os.environ, *, project: Path) -> Path | None:
    """Return the first program of that name on PATH that is in the checkout.

    nixpy does not start it. Returns None if there is none.
    """
    tree = checkout(project)
    return next((path for path in _on_path(name, environ) if _of_checkout(path, tree)), None)


def search_path(environ: Mapping[str, str], project: Path) -> str:
    """Return PATH without relative entries and without folders of the checkout."""
    tree = checkout(project)
    return os.pathsep.join(str(folder) for folder in _folders(environ) if not _of_checkout(folder, tree))


@contextmanager
def unavailable() -> Iterator[None]:
    """Hide all programs on PATH from libraries while the block runs."""
    path = os.environ.get("PATH")
    os.environ["PATH"] = os.devnull
    try:
        yield
    finally:
        if path is None:
            del os.environ["PATH"]
        else:
            os.environ["PATH"] = path


def checkout(folder: Path) -> Path:
    """Return the real path of the git tree that contains `folder`.

    Outside a git tree, return that of the folder itself.

    A home folder that is a git tree, for example with the user's settings, is not a checkout of a project: it
    contains the user's own programs.
    """
    real = folder.resolve()
    tree = next((parent for parent in (real, *real.parents) if (parent / ".git").exists()), real)
    return real if tree == Path.home().resolve() else tree


def _folders(environ: Mapping[str, str]) -> list[Path]:
    return [Path(entry) for entry in environ.get("PATH", "").split(os.pathsep) if Path(entry).is_absolute()]


def _on_path(name: Name, environ: Mapping[str, str]) -> Iterator[Path]:
    found = (shutil.which(name, path=str(folder)) for folder in _folders(environ))
    return (Path(path) for path in found if path)


def _of_checkout(path: Path, tree: Path) -> bool:
    """Return whether a program or folder is in the checkout or is a link into it.

    The programs of the environment that nixpy runs from do not count: its code runs already.
    """
    own = Path(sysconfig.get_path("scripts"))
    normal = Path(os.path.normpath(path))
    if own in (normal, normal.parent):
        return False
    return any(place.is_relative_to(tree) for place in (normal, Path(os.path.realpath(path))))


def run(
    name: Name,
    path: Path,
    arguments: Sequence[str | Path],
    *,
    project: Path,
    environ: Mapping[str, str] = os.environ,
    cwd: Path | None = None,
    timeout: float | None = None,
) -> CompletedProcess:
    """Run the program `name` at `path`, and return its status and output.

    It runs without a shell and without input.

    The program gets the PATH that `search_path` returns. `timeout` is in seconds. Raises OSError if the program does
    not start, SubprocessError if it takes too long, and ValueError if the path is not absolute.
    """
    if not path.is_absolute():
        raise ValueError(f"{name} is not started: {path} is not an absolute path")
    start = time.monotonic()
    try:
        done = subprocess.run(
            [path, *arguments],
            cwd=cwd,
            env={**environ, "PATH": search_path(environ, project)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:  # its text has the whole command
        raise SubprocessError(f"{path} does not end within {timeout:g} seconds") from None
    # Arguments may hold the password of an index.
    _LOG.debug("ran %s for %.2f s, status %d", path, time.monotonic() - start, done.returncode)
    return done
