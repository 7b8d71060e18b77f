"""List the lock formats: one row for each, with its reader.

Other modules use a row of `FORMATS` or the `Lock` that its reader returns; no other module names a lock file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, cast

from nixpy.core.errors import LockError, NixpyError, ProjectError, raised_as
from nixpy.locks.model import Lock

if TYPE_CHECKING:
    from nixpy.locks.requirements import RequirementsFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A lock format: the name of its file, its tool, and how other tools use the file.

    `reader` is imported when a file is read: `reader(path, root) -> Lock`, where `root` is the folder of the project.
    With `pins_only` the file has versions and hashes, but neither file names nor the packages of other systems: its
    reader is `reader(path, root=…, groups=…) -> RequirementsFile`, and uv completes it as it does a requirements file.
    """

    name: str
    reader: str  # `module:name`
    tool: str | None = None  # the tool that defines the format
    relock: str | None = None  # the command that locks again
    other_names: str = ""  # a pattern for other names of the file than `name`
    other_names_shown: str | None = None  # the same for messages
    managers: tuple[str, ...] = ()  # the managers of `.venv` that install from it
    install: str | None = None  # the command that installs from it, if no manager does
    by_path: bool = False  # managers take the path of the file, so it may have any name and folder
    addresses: bool = False  # it has an address for each file, from which Nix fetches it
    workspace: bool = False  # it may be in a parent folder; it is the project's lock if `Lock.has_project`
    pins_only: bool = False

    def matches(self, path: Path) -> bool:
        """Return whether a file has a name of this format."""
        return path.name == self.name or bool(re.fullmatch(self.other_names, path.name))


FORMATS: tuple[Format, ...] = (
    Format(
        name="uv.lock",
        reader="nixpy.locks.uv:UvLock.read",
        tool="uv",
        relock="uv lock",
        other_names=r".*\.py\.lock",  # for a script
        managers=("uv",),
        addresses=True,
        workspace=True,
    ),
    Format(
        name="pylock.toml",
        reader="nixpy.locks.pylock:PyLock.read",
        other_names=r"pylock\.[^.]+\.toml",
        other_names_shown="pylock.<name>.toml",
        managers=("uv",),
        by_path=True,
    ),
    Format(
        name="poetry.lock",
        reader="nixpy.locks.poetry:PoetryLock.read",
        tool="poetry",
        relock="poetry lock",
        managers=("poetry",),
    ),
    Format(
        name="pdm.lock",
        reader="nixpy.locks.pdm:PdmLock.read",
        tool="pdm",
        relock="pdm lock",
        managers=("pdm",),
    ),
    Format(
        name="Pipfile.lock",
        reader="nixpy.locks.pipfile:read",
        tool="pipenv",
        relock="pipenv lock",
        install="pipenv sync --dev",
        pins_only=True,
    ),
)
"""The lock formats; if a folder has several, the tools of the project decide, then the first counts."""


def format_of(path: Path | None) -> Format | None:
    """Return the format of a file by its name; None for a file that is not a lock."""
    return next((one for one in FORMATS if path and one.matches(path)), None)


def by_name(name: str) -> Format | None:
    """Return the format with the file name `name`, or None."""
    return next((one for one in FORMATS if one.name == name), None)


def by_tool(tool: str) -> Format:
    """Return the format of a tool's own lock; KeyError for a tool without one."""
    return {one.tool: one for one in FORMATS}[tool]


def find(root: Path, tools: Collection[str] = ()) -> Path | None:
    """Return the lock of the project in the folder `root`, or None.

    If the folder has several, the locks of `tools` come first, which are those that the project names. A lock that
    holds nothing comes last. A member of a uv workspace has its lock in the folder of the workspace. If `root` is a
    file, it is the lock.
    """
    if root.is_file():
        return root
    here = [path for one in FORMATS if not one.pins_only and (path := root / one.name).is_file()]
    if len(here) > 1:
        here.sort(key=lambda path: (_is_empty(path, root), tool_of(path) not in tools))
    return next(iter(here), None) or _workspace_lock(root)


def locks_of_tools(root: Path) -> list[Path]:
    """Return all locks in the folder `root` that are a tool's own."""
    return [path for one in FORMATS if one.tool and (path := root / one.name).is_file()]


def tool_of(path: Path | None) -> str | None:
    """Return the tool that defines the format of a lock, or None."""
    found = format_of(path)
    return found.tool if found else None


def _is_empty(path: Path, root: Path) -> bool:
    try:
        return read(path, root).is_empty()
    except NixpyError:  # an error when the lock is chosen
        return False


def workspace_folder(root: Path) -> Path:
    """Return the folder of the workspace with the member `root`, and else `root`.

    A lock that cannot be read does not count.
    """
    with suppress(LockError):
        found = None if any((root / one.name).is_file() for one in FORMATS) else _workspace_lock(root)
        return found.parent if found else root
    return root


def find_pins(root: Path) -> Path | None:
    """Return the lock with pins only in the folder `root`, or None.

    See `Format.pins_only`.
    """
    here = (root / one.name for one in FORMATS if one.pins_only)
    return next((path for path in here if path.is_file()), None)


def read(path: Path, root: Path | None = None) -> Lock:
    """Read the lock in `path`.

    Its name decides the format; `root` is the project folder, by default its own.

    Raises LockError for a file that is missing, damaged, newer than nixpy, or of no format that nixpy knows.
    """
    found = format_of(path)
    if found is None or found.pins_only:
        *names, last = _shown_names()
        raise LockError(
            "nixpy does not know this lock file by its name",
            hint=f"Supported lock files are {', '.join(names)} and {last}.",
            path=path,
        )
    # A project has one lock, so only its reader is imported.
    with raised_as(LockError):
        return cast("Lock", resolve_name(found.reader)(path, root))


def read_requirements(
    path: Path, root: Path, groups: Collection[str] | None = None, *, named: bool = False
) -> RequirementsFile:
    """Read a requirements file, or a lock with pins only.

    `root` is the folder of the project.

    `groups` are the groups of the lock to install, None for the default ones. A requirements file that the user has
    `named` on the command line may be a FIFO. Raises ProjectError if a requirements file cannot be read, and LockError
    if a lock cannot be read or lacks a group.
    """
    found = format_of(path)
    if found and found.pins_only:
        with raised_as(LockError):
            return cast("RequirementsFile", resolve_name(found.reader)(path, root=root, groups=groups))
    from nixpy.locks import requirements

    with raised_as(ProjectError):
        return requirements.read(path, root=root, named=named)


def _shown_names() -> Iterator[str]:
    for one in FORMATS:
        if not one.pins_only:
            yield one.name
            if one.other_names_shown:
                yield one.other_names_shown


def _workspace_lock(root: Path) -> Path | None:
    """Return the lock of the workspace with the member `root`, or None."""
    if not (root / "pyproject.toml").is_file():
        return None
    for one in FORMATS:
        above = (parent / one.name for parent in root.resolve().parents if one.workspace)
        if path := next((path for path in above if path.is_file()), None):
            return path if read(path, root).has_project() else None
    return None
