"""Summarise a plan for a report on one screen.

It has numbers, each with the name of what it counts, and the first items of lists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from nixpy.commands.plan import Plan
from nixpy.diagnostics.diagnostic import Diagnostic, counted, shorten
from nixpy.diagnostics.grouping import in_groups
from nixpy.libraries.match import Library
from nixpy.project import managers


def wheel_counts(plan: Plan) -> str:
    """Return the numbers of packages, wheel files and systems of a plan.

    An example is `2 packages, 6 wheel files for 3 systems`. If only nixpy.lock was read, which lists only the wheels
    that matter, the text states that.
    """
    names = {wheel.name for wheel in plan.wheels} | {item.name for item in plan.nixpy_lock.unavailable}
    packages = counted(len(names), "package")
    files = counted(len({wheel.filename for wheel in plan.wheels}), "wheel file")
    systems = counted(len(plan.resolved.systems), "system")
    return f"{packages}{'' if plan.complete else ' in nixpy.lock'}, {files} for {systems}"


def workspace_places(plan: Plan) -> str:
    """Return the members that a plan is for, and the places of `.venv` and nixpy.lock."""
    project = plan.project
    names = sorted(project.members)
    every = project.is_root and not project.settings.members
    what = (
        f"all members: {shorten(names)}" if every else f"{'member' if len(names) == 1 else 'members'} {shorten(names)}"
    )
    venv = f"its environment is {managers.venv(project)}, " if plan.environment.style.folder == managers.FOLDER else ""
    place = managers.relative(project, project.nixpy_lock_path)
    return f"{what}; {venv}nixpy.lock is {place if '/' in place else 'in this folder'}"


def first_libraries(libraries: Sequence[Library], limit: int) -> tuple[Library, ...]:
    """Return at most `limit` libraries, those that most packages need, in their order."""
    most = sorted(libraries, key=lambda library: -len(library.needed_by))[:limit]
    return tuple(library for library in libraries if library in most)


def first_diagnostics(diagnostics: Sequence[Diagnostic], limit: int) -> tuple[tuple[Diagnostic, ...], dict[str, int]]:
    """Return at most `limit` diagnostics of each code, and the number of others.

    Those of one cause are one.
    """
    seen: Counter[str] = Counter()
    shown = []
    for diagnostic in in_groups(diagnostics):
        seen[diagnostic.code] += 1
        if seen[diagnostic.code] <= limit:
            shown.append(diagnostic)
    return tuple(shown), {code: number - limit for code, number in seen.items() if number > limit}
