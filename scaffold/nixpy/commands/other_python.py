"""Find the Python of a nixpkgs release for which most packages have a wheel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from nixpy.analysis.nixpylock import NixpyLock
from nixpy.core.errors import NixpyError
from nixpy.diagnostics.diagnostic import shorten
from nixpy.environment.options import ResolvedOptions
from nixpy.locks.model import ExtrasAndGroups, Lock, Locked, Unavailable
from nixpy.locks.select import select
from nixpy.nixpkgs import releases
from nixpy.project.project import Project

if TYPE_CHECKING:
    from nixpy.wheels.gather import Progress  # it imports what opens connections


@dataclass(frozen=True, slots=True)
class OtherPython:
    """A Python for which fewer packages lack a wheel.

    `python` is a version such as `3.12`; `without_wheel` are the packages that have no wheel for any Python. The
    requirements of the project that have an older version there are `older`, such as `mopidy 3.4.2`.
    """

    python: str
    without_wheel: tuple[str, ...] = ()
    older: tuple[str, ...] = ()


def python_with_wheels(
    project: Project,
    resolved: ResolvedOptions,
    lock_for: Callable[[ResolvedOptions], Lock],
    progress: Progress | None = None,
    current: NixpyLock | None = None,
) -> OtherPython | None:
    """Return the newest other Python for which every package has a wheel.

    If there is none, the packages that have no wheel for any Python do not count.

    Args:
        project: The project.
        resolved: Its options, with a Python that some package has no wheel for.
        lock_for: A function that returns the lock for these options with another Python.
        progress: It receives the name of each Python before `lock_for` is called, if the project has no lock.
        current: The packages for the Python of `resolved`; None if they are not known.

    Returns:
        A Python that the nixpkgs release of the project has, or None.
    """
    release = releases.release(resolved.nixpkgs)
    extras_and_groups = project.extras_and_groups if project.locked else ExtrasAndGroups()
    allowed = project.requires_python
    never = _without_wheel(current.unavailable if current else ())
    here, others = len(never), dict[str, int]()
    older: dict[str, tuple[str, ...]] = {}
    if progress and not project.locked:
        progress.start(0)
    for python, full in reversed(list(release.pythons.items())):
        if python == resolved.python or (allowed is not None and full not in allowed):
            continue
        if progress and not project.locked:
            progress.step(f"Python {python}", "resolving")
        other = replace(resolved, python=python)
        try:
            found = select(lock_for(other), other.targets(), extras_and_groups)
        except NixpyError:  # no versions for this Python
            continue
        lacking = _without_wheel(found.unavailable)
        older[python] = _older(project, other, current, found) if current else ()
        if not lacking:
            return OtherPython(python, older=older[python])
        never, others[python] = never & lacking, len(lacking)
    best = next((python for python, number in others.items() if number == len(never) < here), None)
    return OtherPython(best, tuple(sorted({name for _, name in never})), older[best]) if best else None


def _older(project: Project, other: ResolvedOptions, current: NixpyLock, found: Locked) -> tuple[str, ...]:
    """Return what the project requires and has a lower version in `found`."""
    direct = {*project.direct_names(other.targets())}
    versions = {(wheel.system, wheel.name): wheel.version for wheel in current.wheels}
    versions |= {(item.system, item.name): item.version or "" for item in current.unavailable}
    now = [(wheel.system, wheel.name, wheel.version) for wheel in found.wheels]
    now += [(item.system, item.name, item.version or "") for item in found.unavailable]
    lower = {
        f"{name} {version}"
        for system, name, version in now
        if name in direct and _is_lower(version, versions.get((system, name), ""))
    }
    return tuple(sorted(lower))


def _is_lower(version: str, than: str) -> bool:
    try:
        return Version(version) < Version(than)
    except InvalidVersion:
        return False


def _without_wheel(unavailable: Iterable[Unavailable]) -> set[tuple[str, str]]:
    """Return system and name of packages without a wheel.

    Those in a folder or a repository are left out: no Python has a wheel of them.
    """
    return {(item.system, item.name) for item in unavailable if not item.source}


def sentence(other: OtherPython, resolved: ResolvedOptions) -> str:
    """Return the statement about the Python that was found."""
    but = f" but {shorten(other.without_wheel)}, which no Python has a wheel of" if other.without_wheel else ""
    older = f", in older versions ({shorten(other.older)})" if other.older else ""
    return f"Python {other.python} of {resolved.release} has wheels for all packages{but}{older}"


def remedy(python: str, project: Project) -> str:
    """Return what to type for that Python."""
    return f'Set `python = "{python}"` in {project.settings_path.name}, or run `nixpy init --python {python}`.'
