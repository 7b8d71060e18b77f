"""Replace several files together.

Each one is first written to a temporary file in its folder.

A temporary file has the name `.NAME.nixpy-XXXXXXXX`, and a lock while its process lives. So a later run can
distinguish the leftovers of a killed run from the files of a run in progress.
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from nixpy.core.errors import OutputError
from nixpy.core.read_file import read_bytes

_MARK = ".nixpy-"
_TEMPORARY = re.compile(r"\..+\.nixpy-[a-z0-9_]{8}", re.DOTALL)  # as `_create` makes them
_LONGEST = 200  # characters of the name; file systems allow 255 bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """The new text of the file `target`, which messages call `path`."""

    path: Path
    target: Path
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Staged:
    """A replacement with its temporary file and a copy of the old file.

    The copy is None if there was no file.
    """

    path: Path
    target: Path
    new: Path
    old: Path | None


def replace_all(replacements: Iterable[Replacement]) -> None:
    """Replace all files or none.

    Everything is written to temporary files before the first file changes.

    At any moment each file is completely the old or the new one, even if nixpy is killed. Raises NixpyError, with
    nothing changed, if a file cannot be written.
    """
    current: Path | None = None
    staged: list[_Staged] = []
    folders: list[Path] = []
    with ExitStack() as temporary:
        try:
            for one in replacements:
                current = one.path
                _make(one.target.parent, folders)
                staged.append(_stage(one, temporary))
            for ready in staged:
                current = ready.path
                ready.new.replace(ready.target)
        except BaseException as error:
            _undo(staged)
            temporary.close()
            for folder in reversed(folders):
                with suppress(OSError):  # another process uses it now
                    folder.rmdir()
            if isinstance(error, OSError):
                raise OutputError(f"cannot be written: {error.strerror}; nothing was changed", path=current) from error
            raise


def remove_leftovers(folders: Iterable[Path]) -> None:
    """Remove the temporary files that killed runs left in `folders`.

    Those of a run in progress stay.
    """
    for folder in dict.fromkeys(folders):
        with suppress(OSError), os.scandir(folder) as entries:
            left = [Path(entry) for entry in entries if _TEMPORARY.fullmatch(entry.name) and _regular(entry)]
            for path in left:
                _remove(path)


def _regular(entry: os.DirEntry[str]) -> bool:
    return entry.is_file(follow_symlinks=False)


def _remove(path: Path) -> None:
    with suppress(OSError):  # its process lives and holds the lock, or another run removed it
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
        finally:
            os.close(handle)


def _make(folder: Path, made: list[Path]) -> None:
    """Create a folder and its missing parents, and append the created ones to `made`."""
    if not folder.is_dir():
        _make(folder.parent, made)
        folder.mkdir(exist_ok=True)
        made.append(folder)


def _stage(one: Replacement, temporary: ExitStack) -> _Staged:
    """Write the new text and a copy of the old one to temporary files.

    They are removed when `temporary` is closed.
    """
    target, old, mode = one.target, None, 0o666 & ~_umask()
    with suppress(FileNotFoundError):
        status = target.stat()
        mode = status.st_mode & 0o777
        old = _write(target, read_bytes(target), mode, temporary)
        os.utime(old, ns=(status.st_atime_ns, status.st_mtime_ns))
    return _Staged(path=one.path, target=target, new=_write(target, one.text.encode(), mode, temporary), old=old)


def _write(target: Path, text: bytes, mode: int, temporary: ExitStack) -> Path:
    handle, path = _create(target, temporary)
    left = memoryview(text)
    while left:
        left = left[os.write(handle, left) :]
    path.chmod(mode)
    return path


def _create(target: Path, temporary: ExitStack) -> tuple[int, Path]:
    """Return the handle and path of a temporary file.

    It is locked if the file system supports it.
    """
    while True:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:_LONGEST]}{_MARK}")
        temporary.callback(Path(name).unlink, missing_ok=True)
        temporary.callback(os.close, handle)
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:  # else another run removed the file before it was locked
            return handle, Path(name)


def _undo(staged: Iterable[_Staged]) -> None:
    """Restore the replaced files, which are those without a temporary file."""
    for one in staged:
        if not one.new.exists():
            with suppress(OSError):
                if one.old is None:
                    one.target.unlink(missing_ok=True)
                else:
                    os.replace(one.old, one.target)  # noqa: PTH105  (as `Path.replace` may be what failed)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
