"""Find the systems for which the requirements of a project can be resolved.

A package that only one system needs, and that no index has, must not stop the project on the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nixpy.core.errors import NixpyError, ResolutionError
from nixpy.environment.options import Options, ResolvedOptions
from nixpy.locks.model import Lock
from nixpy.project.project import Project


def fitting_systems(resolved: ResolvedOptions, lock_for: Callable[[ResolvedOptions], Lock]) -> tuple[str, ...]:
    """Return the systems of `resolved` for which uv finds versions.

    There is none if the requirements of a system are not known, for example because a package must be built.

    Args:
        resolved: The options of a project without a lock, for which uv finds no versions.
        lock_for: A function that returns the lock for these options with one system.
    """
    found = []
    for system in resolved.systems:
        try:
            lock_for(replace(resolved, systems=(system,)))
        except ResolutionError:
            continue
        except NixpyError:  # the requirements of that system are not known
            return ()
        found.append(system)
    return tuple(found)


def are_named(project: Project, options: Options) -> bool:
    """Return whether the user named the systems of the project."""
    return bool(options.systems or project.settings.systems)


def only(resolved: ResolvedOptions, systems: tuple[str, ...]) -> ResolvedOptions:
    """Return the options with these systems, and why the others are left out."""
    left_out = [system for system in resolved.systems if system not in systems]
    options = " ".join(f"--system {system}" for system in left_out)
    reason = f"no versions fit on {', '.join(left_out)}; `nixpy init {options}` shows why"
    return replace(
        resolved,
        systems=systems,
        required_systems=tuple(system for system in resolved.required_systems if system in systems) or systems,
        reasons={**resolved.reasons, "systems": reason},
    )


def remedy(systems: tuple[str, ...]) -> str:
    """Return the command that sets the project up for these systems alone."""
    return f"For the other systems, run `nixpy init {' '.join(f'--system {system}' for system in systems)}`."
