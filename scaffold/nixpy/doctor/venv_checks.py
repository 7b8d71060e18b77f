"""Check that the virtual environment is whole, in place, and for the right Python."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.specifiers import SpecifierSet

from nixpy.diagnostics.diagnostic import shorten
from nixpy.doctor.facts import Facts, Venv, in_store
from nixpy.doctor.machine_diagnostic import MachineDiagnostic
from nixpy.doctor.remedies import create_again
from nixpy.project.managers import FOLDER

_PATCHES = 50  # no X.Y of CPython has as many releases


def broken_venv(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX428: the virtual environment is damaged, and its Python does not start."""
    venv = facts.venv
    if venv is None:
        return
    reason = _damage(venv)
    # Without a loader for it, the Python of another distribution does not start either: that is NIX412.
    loader, host = venv.python.loader, facts.host
    foreign = loader is not None and not in_store(loader) and host is not None and host.at_loader in {"stub", "none"}
    if not reason and facts.failure and not foreign:
        reason = f"{venv.python.path} does not start: {facts.failure}"
    if reason:
        yield MachineDiagnostic(
            code="NIX428", message=f"{venv.folder} is damaged: {reason}", command=create_again(facts, venv)
        )


def _damage(venv: Venv) -> str:
    python = venv.python
    if not venv.has_config:
        return "it has no pyvenv.cfg, so its Python does not find the installed packages"
    if venv.home is None:
        return "its pyvenv.cfg has no `home`, so its Python does not find the standard library"
    if python.missing:
        return f"{python.path} does not exist"
    if python.broken:
        file = "" if python.file == python.path else f", which is {python.file},"
        return f"{python.path}{file} {python.broken}"
    return ""


def moved_venv(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX429: the virtual environment was moved or copied from another folder."""
    venv = facts.venv
    if venv is None or not venv.other_folders or _damage(venv):
        return
    others = shorten(list(map(str, venv.other_folders)))
    yield MachineDiagnostic(
        code="NIX429",
        message=f"{venv.folder} was moved or copied from {others}: `activate` and the scripts in {venv.folder / 'bin'} "
        "still name that folder, so they use another Python or do not start",
        command=create_again(facts, venv),
    )


def other_version(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX430: the virtual environment has not the Python version of the project."""
    venv, project = facts.venv, facts.project
    if venv is None or project is None or project.folder != FOLDER:
        return
    version = venv.version or (venv.versions[0] if len(venv.versions) == 1 else None)
    if version is None:
        return
    if project.python and project.python != version:
        wanted = f"Python {project.python}"
    elif project.requires_python is not None and not _admits(project.requires_python, version):
        wanted = f"Python {project.requires_python}"
    else:
        return
    yield MachineDiagnostic(
        code="NIX430",
        message=f"{venv.folder} has Python {version}, but {project.source} needs {wanted}",
        command=create_again(facts, venv),
    )


def to_replace(facts: Facts) -> bool:
    """Return whether the virtual environment must be created again.

    That also installs its packages and gives it the right Python.
    """
    return any(True for check in (broken_venv, other_version) for _ in check(facts))


def _admits(specifiers: SpecifierSet, minor: str) -> bool:
    """Return whether the specifiers admit any version X.Y.Z with this X.Y."""
    return any(specifiers.contains(f"{minor}.{patch}") for patch in range(_PATCHES))
