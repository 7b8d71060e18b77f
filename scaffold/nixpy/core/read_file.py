"""Read files up to a limit, and list folders.

FIFOs, devices and sockets are refused.

Reading one of those may not end, and may change it.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
from collections.abc import Iterator
from io import BufferedReader
from itertools import islice
from pathlib import Path

from nixpy.core import limits
from nixpy.core.errors import InputError

_LOG = logging.getLogger(__name__)
_OWN = Path(__file__).parents[1]


def open_bytes(path: Path, *, named: bool = False) -> BufferedReader:
    """Open a regular file, or with `named` any file that the user names.

    Raises what `read_bytes` does.
    """
    if "\0" in str(path):
        raise InputError("this path has a NUL character, which no path can have", path=str(path).replace("\0", "\\0"))
    # Without O_NONBLOCK, opening a FIFO waits for a process that writes to it.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | (0 if named else os.O_NONBLOCK))
    if _OWN not in path.parents:  # not the tables of nixpy itself
        _LOG.debug("read %s", path)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode) or (named and not stat.S_ISDIR(mode)):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise InputError(
        "this is not a regular file but a FIFO, a device or a socket, and is not read",
        hint="Replace it with a regular file.",
        path=path,
    )


def read_bytes(path: Path, *, limit: int = limits.TEXT_SIZE, named: bool = False) -> bytes:
    """Return the content of a file.

    A `named` file is one that the user names on the command line: it may be a FIFO or a device, such as the one of
    `<(command)`. Raises OSError as `open` does, and NixpyError for any other file that is not regular, for a file
    with more than `limit` bytes, and for an invalid path.
    """
    with open_bytes(path, named=named) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise InputError(
            f"this file has more than {limit:,} bytes and is not read", hint="Check what it is.", path=path
        )
    return data


# The methods of Path raise OSError for a name that is too long for the system. Files that other people write may
# contain such a name, and no file has it.
def exists(path: Path) -> bool:
    """Return whether a file or folder exists."""
    return os.path.exists(path)  # noqa: PTH110


def is_file(path: Path) -> bool:
    """Return whether a regular file exists."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Return whether a folder exists."""
    return os.path.isdir(path)  # noqa: PTH112


def read_lossy(path: Path) -> str:
    """Return the text of a file in which nixpy looks for something.

    Bytes that are not UTF-8 are replaced.
    """
    return read_bytes(path).decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")


def walk(root: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield the same as `os.walk`, for folders of any depth.

    Before Python 3.12, `os.walk` calls itself for each level of folders.
    """
    left = [str(root)]
    while left:
        for folder, folders, files in islice(os.walk(left.pop()), 1):
            yield folder, folders, files
            paths = (str(Path(folder, name)) for name in reversed(folders))
            left += [path for path in paths if not Path(path).is_symlink()]
