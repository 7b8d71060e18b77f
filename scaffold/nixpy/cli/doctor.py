"""`nixpy doctor`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from nixpy.cli.common import folder, format_option, print_json
from nixpy.cli.layout import table, tell
from nixpy.cli.output import Styled, echo
from nixpy.diagnostics.diagnostic import counted
from nixpy.doctor.examine import Report, examine
from nixpy.doctor.project_folder import nearest_project
from nixpy.doctor.report import as_json, rows


@click.command("doctor")
@folder
@click.option(
    "--venv",
    type=click.Path(path_type=Path, file_okay=False),
    help="The virtual environment to look at.  [default: .venv in DIR]",
)
@format_option
def command(folder: Path, venv: Path | None, form: str) -> int:
    """Tell what is wrong with this machine, this shell and the project in DIR, each with the command that mends it.

    Run it where something fails: in the shell, with the variables that are set there. Needs neither network nor Nix,
    changes nothing, and starts nothing but git and the environment's Python, isolated. Exits with 1 where there are
    findings.
    """
    folder = nearest_project(folder)
    report = examine(folder, venv or folder / ".venv", os.environ)
    if form == "json":
        print_json(as_json(report))
    else:
        _print(report)
    return 1 if report.diagnostics else 0


def _print(report: Report) -> None:
    for line in table(rows(report.facts), indent=0):
        echo(line)
    echo("")
    for diagnostic in report.diagnostics:
        tell(diagnostic.message, lead=(Styled(diagnostic.code, fg="yellow"), " "))
        echo("       ", Styled(diagnostic.command, bold=True))
    for skipped in report.skipped:
        tell(f"{skipped.check}: {skipped.reason}", lead="not checked: ")
    echo(f"{counted(len(report.diagnostics), 'problem')} found" if report.diagnostics else "no problem found")
