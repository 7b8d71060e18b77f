"""The programs that nixpy starts. No other module starts one: `tests/core/test_programs.py` reads them all.

| program | who starts it | for what |
| --- | --- | --- |
| uv | `index/uv_tool.py` | its version; to resolve a project without a lock |
| git | `doctor/project_folder.py` | which files of a flake the tree has |
| python | `doctor/interpreter.py` | its version and libraries, where it lies outside the checkout |

No program of the checkout is started: relative entries of PATH are left out, and so are programs that lie in the git
tree of the project or are links into it. nixpy never starts Nix, and copier, which `nixpy new` uses, finds no program.
uv starts the Python that runs nixpy, git for requirements that name a repository, and with `--allow-build` what
builds a package.

`nixpy patch` runs `templates/nix/programs/patch_venv.py`, which the shell of style patched-venv also has without
nixpy. That starts the patchelf that this shell names by its path in the store.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

Name = Literal["uv", "git", "python"]
CompletedProcess = subprocess.CompletedProcess[str]
SubprocessError = subprocess.SubprocessError  # such as a program that takes too long
OWN = "it lies in the project's own files"  # why a program is not started


def find(name: Name, environ: Mapping[str, str] = os.environ, *, project: Path) -> Path | None:
    """Return the first program of that name on PATH that is none of the checkout's, None where there is none.

    `project` is a folder of the checkout.
    """
    tree = checkout(project)
    return next((path for path in _on_path(name, environ) if not _of_checkout(path, tree)), None)


def left_out(name: Name, environ: Mapping[str, str] = os.environ, *, project: Path) -> Path | None:
    """Return the first program of that name on PATH that is not started because it is the checkout's."""
    tree = checkout(project)
    return next((path for path in _on_path(name, environ) if _of_checkout(path, tree)), None)


def search_path(environ: Mapping[str, str], project: Path) -> str:
    """Return PATH without relative entries, which start at the working folder, and without folders of the checkout."""
    tree = checkout(project)
    return os.pathsep.join(str(folder) for folder in _folders(environ) if not _of_checkout(folder, tree))


@contextmanager
def unavailable() -> Iterator[None]:
    """Let no library find a program on PATH while the block runs."""
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
    """Return the real path of the git tree that `folder` is in, of the folder itself where it is in none.

    A home folder that is a git tree, as of people who keep their settings in git, is no checkout of a project: the
    user's own programs lie in it.
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
    """Tell whether a program or folder lies in the checkout or is a link into it.

    The programs of the environment that nixpy itself runs from are not counted: its code runs already.
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
    """Run the program `name`, which lies at `path`, without input, and return its status and what it wrote.

    No shell takes part, and the program has the PATH that `search_path` returns. `timeout` is in seconds. Raises
    OSError where it does not start, SubprocessError where it takes too long, and ValueError for a path that is not
    absolute.
    """
    if not path.is_absolute():
        raise ValueError(f"{name} is not started: {path} is not an absolute path")
    try:
        return subprocess.run(
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
    except subprocess.TimeoutExpired:  # whose text is the whole command
        raise SubprocessError(f"{path} does not end within {timeout:g} seconds") from None
