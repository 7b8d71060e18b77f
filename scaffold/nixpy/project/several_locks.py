"""Report locks of several tools in one folder."""

from __future__ import annotations

from collections.abc import Iterator

from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.locks import formats
from nixpy.project.project import Project


def diagnostics(project: Project) -> Iterator[Diagnostic]:
    """Yield NIX225 for locks of several tools if no setting chooses one."""
    there = formats.locks_of_tools(project.root)
    if project.lock not in there or len(there) < 2 or project.settings.lock:
        return
    others = [path.name for path in there if path != project.lock]
    yield Diagnostic(
        code="NIX225",
        message=f"this folder has {project.lock.name} and {' and '.join(others)}; nixpy reads {project.lock.name}",
        hint=f'Name the right one in [tool.nixpy]: `lock = "{project.lock.name}"`.',
    )
