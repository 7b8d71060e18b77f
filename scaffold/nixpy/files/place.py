"""Restrict where nixpy writes: inside the project.

With `--follow-links` it also writes inside the git repository of the project.

A checkout is untrusted. A link in it, to a file or to a folder, must not let nixpy change files elsewhere.
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
    """Return the file that changes when nixpy writes `path`, with all links resolved.

    Args:
        path: The file to write; it need not exist.
        root: The folder that the file must stay in; by default the one that `path` names.
        follow_links: Accept a file outside of `root` that is in the same git repository.
        limit: The name of `root` in the message.

    Raises:
        NixpyError: The file is outside, in `.git`, or is the nixpy.nix or nixpy.lock of another project.
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
    """Return the top folder of the git repository that contains `folder`, or None."""
    return next((above for above in (folder, *folder.parents) if os.path.lexists(above / _GIT)), None)


def _link(path: Path, root: Path) -> Path:
    """Return the first link on the way from `root` to `path`.

    It is `path` if no folder is a link.
    """
    folders = [above for above in path.parents if above.is_relative_to(root) and above != root]
    return next((above for above in reversed(folders) if above.is_symlink()), path)


def _others(real: Path, root: Path, top: Path) -> Iterator[Path]:
    """Yield the other projects up to `top` that have the file as a generated one.

    The project in `root` is left out.
    """
    for folder in real.parents:
        if folder != root and any((folder / name).is_file() for name in (PYPROJECT, NIXPY_TOML)):
            file = _file(folder)
            if real in (file, file.parent / NIXPY_LOCK):
                yield folder
        if folder == top:
            return


def _file(folder: Path) -> Path:
    """Return the generated Nix file of the project in `folder`.

    The default one if its settings are damaged.
    """
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
