"""`nixpy doctor`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from nixpy.cli.common import folder, format_option, print_json, print_message
from nixpy.cli.layout import table, tell
from nixpy.cli.output import SETTINGS, Styled, echo
from nixpy.diagnostics.diagnostic import counted
from nixpy.doctor.examine import CHECKS, Report, examine
from nixpy.doctor.report import as_json, rows
from nixpy.locks import formats
from nixpy.project.discover import nearest_project
from nixpy.project.managers import FOLDER


@click.command("doctor")
@folder
@click.option(
    "--venv",
    type=click.Path(path_type=Path, file_okay=False),
    help="Virtual environment to examine.  [default: .venv in DIR, or in the folder of its uv workspace]",
)
@format_option
def command(folder: Path, venv: Path | None, form: str) -> int:
    """Explain what is wrong with this machine, this shell and the project in DIR. Each diagnostic names its fix.

    Run it where something fails: in the same shell, with the same variables. It needs no network and no Nix, and
    changes nothing. It starts only git and the Python of the environment, isolated. The exit status is 1 if there are
    diagnostics.
    """
    folder = nearest_project(folder)
    report = examine(folder, venv or formats.workspace_folder(folder) / FOLDER, os.environ)
    if form == "json":
        print_json(as_json(report))
    else:
        _print(report)
    return 1 if report.diagnostics else 0


def _print(report: Report) -> None:
    if not SETTINGS.quiet:
        for line in table(rows(report.facts), indent=0):
            echo(line)
        echo("")
    for diagnostic in report.diagnostics:
        print_message("error", diagnostic.code, diagnostic.message)
        echo("  ", Styled("hint", fg="cyan"), ": ", Styled(diagnostic.command, bold=True))
    if SETTINGS.quiet:
        return
    for skipped in report.skipped:
        tell(f"{skipped.check}: {skipped.reason}", lead="not checked: ")
    found = counted(len(report.diagnostics), "diagnostic") if report.diagnostics else "no diagnostic"
    tell(f"{found} found by {counted(len(CHECKS) - len(report.skipped), 'check')}")
