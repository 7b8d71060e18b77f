"""Make Python wheels work on NixOS.

The names below are the stable Python API; docs/reference/python.md explains them.

Importing nixpy loads nothing else: each name is imported when it is first used.
"""

__version__ = "0.1.0"
__all__ = [
    "Comparison",
    "Diagnostic",
    "ElfFile",
    "Library",
    "LibraryEvidence",
    "LockError",
    "LockFile",
    "Needs",
    "NetworkError",
    "NixpyError",
    "OutputFile",
    "Package",
    "Plan",
    "Progress",
    "Project",
    "ProjectError",
    "Reason",
    "RuntimeOpen",
    "Scan",
    "SonameEntry",
    "State",
    "Target",
    "Verdict",
    "Wheel",
    "WheelFile",
    "__version__",
    "check",
    "find_soname",
    "make_target",
    "plan",
    "read_elf",
    "read_lock",
    "read_project",
    "scan",
]

TYPE_CHECKING = False  # type checkers treat it as true; importing `typing` would cost time
if TYPE_CHECKING:
    from nixpy.analysis.nixpylock import Wheel
    from nixpy.api import (
        LockFile,
        check,
        find_soname,
        make_target,
        plan,
        read_elf,
        read_lock,
        read_project,
        scan,
    )
    from nixpy.commands.check import Reason, Verdict
    from nixpy.commands.plan import Plan
    from nixpy.commands.scan import Scan
    from nixpy.core.errors import LockError, NetworkError, NixpyError, ProjectError
    from nixpy.core.target import Target
    from nixpy.diagnostics.diagnostic import Diagnostic
    from nixpy.files.reconcile import Comparison, OutputFile, State
    from nixpy.libraries.catalogue import SonameEntry
    from nixpy.libraries.evidence import LibraryEvidence
    from nixpy.libraries.match import Library
    from nixpy.locks.model import Package, WheelFile
    from nixpy.needs.model import ElfFile, Needs, RuntimeOpen
    from nixpy.project.project import Project
    from nixpy.wheels.gather import Progress

# The module of each name; tests/api/test_api.py compares this with the imports above.
_MODULES = {
    "Comparison": "files.reconcile",
    "Diagnostic": "diagnostics.diagnostic",
    "ElfFile": "needs.model",
    "Library": "libraries.match",
    "LibraryEvidence": "libraries.evidence",
    "LockError": "core.errors",
    "LockFile": "api",
    "Needs": "needs.model",
    "NetworkError": "core.errors",
    "NixpyError": "core.errors",
    "OutputFile": "files.reconcile",
    "Package": "locks.model",
    "Plan": "commands.plan",
    "Progress": "wheels.gather",
    "Project": "project.project",
    "ProjectError": "core.errors",
    "Reason": "commands.check",
    "RuntimeOpen": "needs.model",
    "Scan": "commands.scan",
    "SonameEntry": "libraries.catalogue",
    "State": "files.reconcile",
    "Target": "core.target",
    "Verdict": "commands.check",
    "Wheel": "analysis.nixpylock",
    "WheelFile": "locks.model",
    "check": "api",
    "find_soname": "api",
    "make_target": "api",
    "plan": "api",
    "read_elf": "api",
    "read_lock": "api",
    "read_project": "api",
    "scan": "api",
}

if not TYPE_CHECKING:  # or type checkers accept every name

    def __getattr__(name: str) -> object:
        """Import a name of the API when it is first used (PEP 562)."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """List the names of the API, also those that are not imported yet."""
    return sorted({*globals(), *__all__})
