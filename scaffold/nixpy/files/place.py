"""Where nixpy may write: inside the project, and with `--follow-links` inside its git repository.

A checkout is text of strangers. A link in it, to a file or to a folder, must not let nixpy change files elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from nixpy.core.errors import NixpyError, OutputError
from nixpy.core.toml_file import load_toml
from nixpy.project.config import NIXPY_TOML, PYPROJECT, Settings
from nixpy.project.project import NIXPY_LOCK

_GIT = ".git"
_NOTHING = "nothing was changed"


def target(path: Path, root: Path | None = None, *, follow_links: bool = False, limit: str = "the project") -> Path:
    """Return the file that changes when nixpy writes `path`: all links are followed, also those to folders.

    Args:
        path: The file to write; it need not exist.
        root: The folder that the file must stay in; by default the one that `path` names.
        follow_links: Accept a file outside of `root` that lies in the same git repository.
        limit: What the message calls `root`.

    Raises:
        NixpyError: The file lies outside, in the data of git, or is the nixpy.nix or nixpy.lock of another project.
    """
    root = path.parent if root is None else root
    real, folder = _real(path), _real(root)
    repository = _repository(folder)
    same = repository is not None and _repository(real.parent) == repository
    inside = real.is_relative_to(folder)
    if not inside and not (follow_links and same):
        outside = "the repository" if follow_links and repository else limit
        link = _link(path, root)
        way = "this" if link == path else f"the link {link}"
        raise OutputError(
            f"{way} points to {real}, and nixpy does not write outside {outside}; {_NOTHING}",
            path=path,
            hint="Replace the link with a regular file"
            + (", or allow it with --follow-links." if same and limit == "the project" else "."),
        )
    top = folder if inside else repository or folder
    if _GIT in real.relative_to(top).parts:
        raise OutputError(
            f"this points to {real}, which belongs to git; {_NOTHING}", path=path, hint="Remove the link."
        )
    for other in _others(real, folder, repository or folder):
        raise OutputError(
            f"this is {real.name} of another project, {other}; {_NOTHING}",
            path=path,
            hint="Remove the link, or set `file` in [tool.nixpy] to another path.",
        )
    return real


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _repository(folder: Path) -> Path | None:
    """Return the top folder of the git repository that `folder` lies in, None where it lies in none."""
    return next((above for above in (folder, *folder.parents) if os.path.lexists(above / _GIT)), None)


def _link(path: Path, root: Path) -> Path:
    """Return the first link on the way from `root` to `path`, which is `path` where no folder is a link."""
    folders = [above for above in path.parents if above.is_relative_to(root) and above != root]
    return next((above for above in reversed(folders) if above.is_symlink()), path)


def _others(real: Path, root: Path, top: Path) -> Iterator[Path]:
    """Yield the projects between the file and `top`, other than the one in `root`, whose generated file it is."""
    for folder in real.parents:
        if folder != root and any((folder / name).is_file() for name in (PYPROJECT, NIXPY_TOML)):
            file = _file(folder)
            if real in (file, file.parent / NIXPY_LOCK):
                yield folder
        if folder == top:
            return


def _file(folder: Path) -> Path:
    """Return the generated Nix file of the project in `folder`; the usual one where its settings are damaged."""
    usual = folder / Settings().file
    try:
        if (folder / NIXPY_TOML).is_file():
            table = load_toml(folder / NIXPY_TOML)
        else:
            table = load_toml(folder / PYPROJECT).get("tool", {}).get("nixpy", {})
        file = table.get("file")
        return _real(folder / file) if isinstance(file, str) else usual
    except (NixpyError, OSError, AttributeError, ValueError, RecursionError):
        return usual
