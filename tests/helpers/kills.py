"""Kills a process at any of its changes to the disk."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

WRITES = {"os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.utime"}


def killed(write: Callable[[], object], folder: Path, at: int, *, renames: bool = False) -> bool:
    """Run `write` in a process of its own, which is killed before its change number `at` below `folder`.

    A write to a file counts as one change, of which a half is done, and so does what empties a file. With `renames`
    only those count. Returns False where it ended before.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the other threads of this process are idle
        child = os.fork()
    if not child:
        count, real = 0, os.write

        def change() -> bool:
            nonlocal count
            count += 1
            return count == at

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            written = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
            if (
                (event == "os.rename" or (not renames and (written or event in WRITES)))
                and str(arguments[0]).startswith(str(folder))
                and change()
            ):
                if written and arguments[2] & os.O_TRUNC and Path(arguments[0]).exists():
                    os.truncate(arguments[0], 0)  # a file that is opened so is empty until it is written
                os._exit(137)

        def half(handle: int, data: bytes) -> int:
            if not renames and change():
                real(handle, data[: len(data) // 2])
                os._exit(137)
            return real(handle, data)

        try:
            os.write = half  # type: ignore[assignment]
            sys.addaudithook(hook)
            write()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 137
