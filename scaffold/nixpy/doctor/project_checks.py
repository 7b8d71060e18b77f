"""Check the files of the project."""

from __future__ import annotations

from collections.abc import Iterator

from nixpy.core.errors import in_one_line
from nixpy.core.text import shell_word
from nixpy.diagnostics.diagnostic import with_hint
from nixpy.doctor.facts import BrokenFile, Facts
from nixpy.doctor.machine_diagnostic import MachineDiagnostic


def broken_files(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX426: a file of the project cannot be read."""
    for file in facts.broken_files:
        place = f"{file.path}:{file.line}" if file.line else str(file.path)
        yield MachineDiagnostic(
            code="NIX426", message=f"{in_one_line(place)}: {with_hint(file.message, file.hint)}", command=_correct(file)
        )


def _correct(file: BrokenFile) -> str:
    path = shell_word(str(file.path))
    # No tool that locks reads a damaged lock.
    return f"rm {path} && {file.relock}" if file.relock else f"${{EDITOR:-vi}} +{file.line or 1} {path}"


def nothing_to_examine(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX427: there is neither a project nor a virtual environment."""
    if facts.project or facts.venv or facts.broken_files or not {"project", "venv"}.isdisjoint(facts.unread):
        return
    yield MachineDiagnostic(
        code="NIX427",
        message=f"there is no Python project in {facts.folder} and no virtual environment at {facts.venv_folder}",
        command="nixpy doctor DIR",
    )
