"""Find the modules with libraries that the project imports, and what changed."""

from __future__ import annotations

from collections.abc import Iterator

from nixpy.analysis.nixpylock import NixpyLock
from nixpy.diagnostics.diagnostic import Diagnostic, shorten
from nixpy.project.own_imports import OwnImports, own_imports
from nixpy.project.project import Project


def imported(project: Project, nixpy_lock: NixpyLock) -> OwnImports:
    """Return the modules with libraries that the own sources of a project import.

    Most projects have no wheel for which that matters, and then nixpy reads no source.
    """
    return own_imports((project.root, *project.members.values()), nixpy_lock.modules)


def unread(own: OwnImports) -> Iterator[Diagnostic]:
    """Yield a diagnostic if nixpy did not read some sources."""
    if own.unread:
        yield Diagnostic(
            code="NIX227",
            message=f"nixpy did not read all sources of the project: {shorten(own.unread)}",
            hint="If they import a module that opens a library, name the library under [tool.nixpy.libraries] add.",
        )


def differences(own: OwnImports, nixpy_lock: NixpyLock) -> Iterator[tuple[str, str]]:
    """Yield in words what the project imports now, or no longer, and the package.

    For example: the project now imports django.contrib.gis, which opens libgdal.so.
    """
    for module in sorted(own.modules ^ {*nixpy_lock.imported}):
        verb = "now imports" if module in own.modules else "no longer imports"
        names, package = _opened(nixpy_lock, module)
        yield f"the project {verb} {module}, which opens {names}", package


def _opened(nixpy_lock: NixpyLock, module: str) -> tuple[str, str]:
    found = {
        (one.names[0], wheel.name)
        for wheel in nixpy_lock.wheels
        for one in wheel.needs.opens
        if module in (one.modules or (one.module,))
    }
    return shorten(sorted({name for name, _ in found})), min(package for _, package in found)
