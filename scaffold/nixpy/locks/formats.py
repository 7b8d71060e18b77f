"""Lock files: found, told apart by name, and read into one shape."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nixpy.core.errors import NixpyError
from nixpy.locks.model import Lock

if TYPE_CHECKING:
    from nixpy.locks.uv import UvLock


def find(root: Path) -> Path | None:
    """Return the lock of the project in the folder `root`: uv.lock, pylock.toml, poetry.lock, pdm.lock, or None.

    A member of a uv workspace has its lock in the workspace's folder. A `root` that is a file is the answer itself.
    """
    if root.is_file():
        return root
    here = (root / name for name in ("uv.lock", "pylock.toml", "poetry.lock", "pdm.lock"))
    return next((path for path in here if path.is_file()), None) or _workspace_lock(root)


def read(path: Path, root: Path | None = None) -> Lock:
    """Return the lock in `path`, told by its name; `root` is the folder of the project, its own by default.

    Raises NixpyError for a file that is missing, damaged, newer than nixpy, or of no tool that nixpy knows.
    """
    # A project has one lock, and only what reads that one is loaded.
    if path.name == "uv.lock" or path.name.endswith(".py.lock"):
        from nixpy.locks.uv import UvLock

        return UvLock.read(path, root)
    if path.name == "poetry.lock":
        from nixpy.locks.poetry import PoetryLock

        return PoetryLock.read(path, root)
    if path.name == "pdm.lock":
        from nixpy.locks.pdm import PdmLock

        return PdmLock.read(path, root)
    if is_pylock(path):
        from nixpy.locks.pylock import PyLock

        return PyLock.read(path)
    raise NixpyError(
        "nixpy does not know this lock file by its name",
        hint="it reads uv.lock, pylock.toml, pylock.<name>.toml, poetry.lock and pdm.lock",
        path=path,
    )


def of_uv(lock: Lock | None) -> UvLock | None:
    """Return the lock if it is uv's."""
    if lock is None:
        return None
    from nixpy.locks.uv import UvLock  # a project without a lock need not wait for it

    return lock if isinstance(lock, UvLock) else None


def is_pylock(path: Path) -> bool:
    """Tell whether `path` has the name of a lock of PEP 751."""
    from packaging.pylock import is_valid_pylock_path  # most projects have another lock, or none

    return is_valid_pylock_path(path)


def _workspace_lock(root: Path) -> Path | None:
    """Return the lock of the uv workspace that has the folder `root` as a member."""
    if not (root / "pyproject.toml").is_file():
        return None
    lock = next((parent / "uv.lock" for parent in root.resolve().parents if (parent / "uv.lock").is_file()), None)
    if lock is None:
        return None
    from nixpy.locks.uv import UvLock

    return lock if UvLock.read(lock, root).has_project() else None
