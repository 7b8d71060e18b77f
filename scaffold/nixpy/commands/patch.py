"""What `nixpy patch` may write to: the virtual environment that is named, and nothing that links lead to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from nixpy.core.errors import NixpyError

_OWN = ".nixpy-patched"  # where the program keeps its record and the originals
_AGAIN = "Create the virtual environment again."


def refuse_links(venv: Path) -> None:
    """Raise NixpyError where patching or restoring `venv` would write outside of it.

    That is so where `venv` is a link to another folder than the one it lies in, where `.nixpy-patched` or
    `site-packages` is a link that leads out, and where the record names files elsewhere.
    """
    real, here = (Path(os.path.realpath(path)) for path in (venv, venv.parent))
    if venv.is_symlink() and not real.is_relative_to(here):
        raise NixpyError(
            f"this leads to {real}, and nixpy does not write outside {here}; nothing was changed",
            path=venv,
            hint="Name the virtual environment itself.",
        )
    own = venv / _OWN
    for path in _written(venv, own):
        if not _inside(path, real):
            message = f"this leads to {os.path.realpath(path)}, outside the virtual environment; nothing was changed"
            raise NixpyError(message, path=path, hint=_AGAIN)
    for name in _recorded(own):
        # The program does not follow a link in place of the file itself.
        places = (Path(os.path.normpath(venv / name)), venv / name, own / "originals" / name)
        if "\0" in name or not all(_inside(path.parent, real) for path in places):
            message = f"{name!r} is not a file of this virtual environment; nothing was changed"
            raise NixpyError(message, path=own / "record.json", hint=_AGAIN)


def _inside(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(folder)


def _written(venv: Path, own: Path) -> Iterator[Path]:
    """Yield the files and folders that the program writes to, and the folders of the originals."""
    yield from (own, own / "originals", own / "record.json", own / "record.json.new", *own.glob("new-*"))
    for folder, folders, _ in os.walk(own / "originals"):
        yield from (Path(folder, name) for name in folders)
    for site in venv.glob("lib/python*/site-packages"):
        yield from (site, site / "nixpy-preload.pth.new")


def _recorded(own: Path) -> Iterator[str]:
    """Yield the names in the record; none where the program itself says what is wrong with the record."""
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        yield from map(str, dict(json.loads((own / "record.json").read_bytes())["files"]))
