"""Find the Python of a nixpkgs release for which every package has a wheel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from nixpy.core.errors import NixpyError
from nixpy.environment.options import ResolvedOptions
from nixpy.locks.model import ExtrasAndGroups, Lock
from nixpy.locks.select import select
from nixpy.nixpkgs import releases
from nixpy.project.project import Project

if TYPE_CHECKING:
    from nixpy.wheels.gather import Progress  # it imports what opens connections


def python_with_wheels(
    project: Project,
    resolved: ResolvedOptions,
    lock_for: Callable[[ResolvedOptions], Lock],
    progress: Progress | None = None,
) -> str | None:
    """Return the newest other Python for which every package has a wheel.

    Args:
        project: The project.
        resolved: Its options, with a Python that some package has no wheel for.
        lock_for: A function that returns the lock for these options with another Python.
        progress: It receives the name of each Python before `lock_for` is called, if the project has no lock.

    Returns:
        A version such as `3.12`, which the nixpkgs release of the project has, or None.
    """
    release = releases.release(resolved.nixpkgs)
    extras_and_groups = project.extras_and_groups if project.locked else ExtrasAndGroups()
    allowed = project.requires_python
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
        if all(item.source for item in found.unavailable):  # no Python has a wheel of a folder or a repository
            return python
    return None


def sentence(python: str, resolved: ResolvedOptions) -> str:
    """Return the statement about the Python that was found."""
    return f"Python {python} of {resolved.release} has wheels for all packages"


def remedy(python: str, project: Project) -> str:
    """Return what to type for that Python."""
    return f'Set `python = "{python}"` in {project.settings_path.name}, or run `nixpy init --python {python}`.'
