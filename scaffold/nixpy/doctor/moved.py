"""Find out whether a virtual environment was moved.

Installers write its path into `activate` and into scripts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from nixpy.core.errors import NixpyError
from nixpy.core.read_file import exists, open_bytes

_HEAD = 4096  # bytes; Linux reads no longer first line
_MOST = 2000  # scripts
# Installers quote a path with spaces, and start such an interpreter with sh.
_ACTIVATE = re.compile(rb"""^[ \t]*(?:export )?VIRTUAL_ENV=(["']?)(?P<folder>/[^"'$\n\0]*+)\1[ \t]*+$""", re.MULTILINE)
_SCRIPT = re.compile(
    rb"""\A\#!(?:/bin/sh\n'''exec'[ ])?(["']?)(?P<folder>/[^"'\n\0]*)/bin/(?:python|pypy|graalpy)[\w.]*\1(?:[ ]|$)""",
    re.MULTILINE | re.VERBOSE,
)


def other_folders(folder: Path) -> Iterator[Path]:
    """Yield other virtual environments that files in `folder` name, each once.

    The files are `activate` and the scripts. Those of a relocatable environment name no folder. A link to the folder is
    the folder itself. A script may start a Python of the system: only a folder that `activate` names, or that looks
    like a virtual environment, counts.
    """
    own, seen = os.path.realpath(folder), set[Path]()
    names = (path for path in sorted((folder / "bin").glob("*"))[:_MOST] if not path.is_symlink())
    for path in (folder / "bin/activate", *names):
        head = _head(path)
        match = _ACTIVATE.search(head) if path.name == "activate" else _SCRIPT.match(head)
        if not match:
            continue
        other = Path(os.fsdecode(match["folder"].rstrip()))
        if other in seen or os.path.realpath(other) == own:
            continue
        if path.name == "activate" or exists(other / "pyvenv.cfg") or (other.name == folder.name and not exists(other)):
            seen.add(other)
            yield other


def _head(path: Path) -> bytes:
    try:
        with open_bytes(path) as file:
            return file.read(_HEAD)
    except (OSError, NixpyError):
        return b""
