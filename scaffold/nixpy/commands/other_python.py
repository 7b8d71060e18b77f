"""Find the Python of a nixpkgs release for which most packages have a wheel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nixpy.core.errors import NixpyError
from nixpy.diagnostics.diagnostic import shorten
from nixpy.environment.options import ResolvedOptions
from nixpy.locks.model import ExtrasAndGroups, Lock, Unavailable
from nixpy.locks.select import select
from nixpy.nixpkgs import releases
from nixpy.project.project import Project

if TYPE_CHECKING:
    from nixpy.wheels.gather import Progress  # it imports what opens connections


@dataclass(frozen=True, slots=True)
class OtherPython:
    """A Python for which fewer packages lack a wheel.

    `python` is a version such as `3.12`; `without_wheel` are the packages that have no wheel for any Python.
    """

    python: str
    without_wheel: tuple[str, ...] = ()


def python_with_wheels(
    project: Project,
    resolved: ResolvedOptions,
    lock_for: Callable[[ResolvedOptions], Lock],
    progress: Progress | None = None,
    unavailable: Collection[Unavailable] = (),
) -> OtherPython | None:
    """Return the newest other Python for which every package has a wheel.

    If there is none, the packages that have no wheel for any Python do not count.

    Args:
        project: The project.
        resolved: Its options, with a Python that some package has no wheel for.
        lock_for: A function that returns the lock for these options with another Python.
        progress: It receives the name of each Python before `lock_for` is called, if the project has no lock.
        unavailable: The packages without a wheel for the Python of `resolved`; none if they are not known.

    Returns:
        A Python that the nixpkgs release of the project has, or None.
    """
    release = releases.release(resolved.nixpkgs)
    extras_and_groups = project.extras_and_groups if project.locked else ExtrasAndGroups()
    allowed = project.requires_python
    never = _without_wheel(unavailable)
    here, others = len(never), dict[str, int]()
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
        if not lacking:
            return OtherPython(python)
        never, others[python] = never & lacking, len(lacking)
    best = next((python for python, number in others.items() if number == len(never) < here), None)
    return OtherPython(best, tuple(sorted({name for _, name in never}))) if best else None


def _without_wheel(unavailable: Iterable[Unavailable]) -> set[tuple[str, str]]:
    """Return system and name of packages without a wheel.

    Those in a folder or a repository are left out: no Python has a wheel of them.
    """
    return {(item.system, item.name) for item in unavailable if not item.source}


def sentence(other: OtherPython, resolved: ResolvedOptions) -> str:
    """Return the statement about the Python that was found."""
    but = f" but {shorten(other.without_wheel)}, which no Python has a wheel of" if other.without_wheel else ""
    return f"Python {other.python} of {resolved.release} has wheels for all packages{but}"


def remedy(python: str, project: Project) -> str:
    """Return what to type for that Python."""
    return f'Set `python = "{python}"` in {project.settings_path.name}, or run `nixpy init --python {python}`.'
