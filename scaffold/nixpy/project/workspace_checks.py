"""Yield diagnostics about the uv workspace of a project."""

from __future__ import annotations

from collections.abc import Iterator

from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.project import managers, workspace
from nixpy.project.project import Project
from nixpy.styles.styles import Style


def diagnostics(project: Project, style: Style) -> Iterator[Diagnostic]:
    """Yield NIX212 if the workspace has no lock, NIX213 if Nix does not see the lock."""
    if project.lock is None and not project.settings.requirements:
        yield from _unlocked(project)
    elif project.workspace and not project.is_root and "wheels" in style.facts and _is_outside(project):
        above = managers.relative(project, project.workspace)
        yield Diagnostic(
            code="NIX213",
            message=f"style {style.name} reads {managers.relative(project, project.source)}; without a git repository, "
            "Nix sees only the folder of the flake",
            hint=f"Run `git init` in {above}, and `git add` the files.",
        )


def _unlocked(project: Project) -> Iterator[Diagnostic]:
    if workspace.table(project.pyproject) is not None:
        others = workspace.folders(project.root, project.pyproject) - {project.root.resolve()}
        where, consequence = project.root, "nixpy reads only the requirements of its root, and no member"
    else:
        where = workspace.above(project.root) or project.root
        others = frozenset({where} - {project.root})
        consequence = "nixpy takes this member for a project by itself, with a .venv of its own"
    if others:
        yield Diagnostic(
            code="NIX212",
            message=f"the uv workspace in {managers.relative(project, where)} has no uv.lock, so {consequence}",
            hint="Run `uv lock`, then `nixpy sync`.",
        )


def _is_outside(project: Project) -> bool:
    """Return whether the lock is outside of the files that Nix copies for the flake."""
    if (project.root / "shell.nix").is_file() and not project.flake.is_file():
        return False
    here, lock = project.root.resolve(), project.source.resolve()
    repository = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), None)
    return repository is None or not lock.is_relative_to(repository)
