"""Lock files: found, told apart by name, and read into one shape."""

from __future__ import annotations

from pathlib import Path

from packaging.pylock import is_valid_pylock_path

from nixpy.errors import NixpyError
from nixpy.locks.model import Lock
from nixpy.locks.pylock import PyLock
from nixpy.locks.uv import UvLock

# What another tool can turn into a lock that nixpy reads; the tools' own formats follow in a later version.
_FOREIGN = {
    "poetry.lock": "poetry export --format pylock.toml --output pylock.toml",
    "pdm.lock": "pdm export --format pylock --output pylock.toml",
    "Pipfile.lock": "uv lock",
}


def find(root: Path) -> Path | None:
    """Return the lock of the project in the folder `root`: uv.lock, then pylock.toml, or None.

    A member of a uv workspace has its lock in the workspace's folder. The lock of a tool that nixpy cannot
    read is found as well, so that `read` can say so. A `root` that is a file is the answer itself.
    """
    if root.is_file():
        return root
    here = (root / name for name in ("uv.lock", "pylock.toml"))
    found = next((path for path in here if path.is_file()), None) or _workspace_lock(root)
    return found or next((root / name for name in _FOREIGN if (root / name).is_file()), None)


def read(path: Path, root: Path | None = None) -> Lock:
    """Return the lock in `path`, told by its name; `root` is the folder of the project, its own by default.

    Raises NixpyError for a file that is missing, damaged, newer than nixpy, or of a tool nixpy cannot read
    yet.
    """
    if path.name == "uv.lock" or path.name.endswith(".py.lock"):
        return UvLock.read(path, root)
    if is_valid_pylock_path(path):
        return PyLock.read(path)
    if path.name in _FOREIGN:
        raise NixpyError(
            f"{path.name} is not read yet",
            hint=f"make a lock that is: `{_FOREIGN[path.name]}`",
            path=path,
        )
    raise NixpyError(
        "nixpy does not know this lock file by its name",
        hint="it reads uv.lock, pylock.toml and pylock.<name>.toml",
        path=path,
    )


def _workspace_lock(root: Path) -> Path | None:
    """Return the lock of the uv workspace that has the folder `root` as a member."""
    if not (root / "pyproject.toml").is_file():
        return None
    lock = next((parent / "uv.lock" for parent in root.resolve().parents if (parent / "uv.lock").is_file()), None)
    if lock is None:
        return None
    return lock if UvLock.read(lock, root).has_project() else None
