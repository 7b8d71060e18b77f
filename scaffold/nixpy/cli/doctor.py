"""`nixpy doctor`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from nixpy.cli.common import folder, format_option, print_json, print_message
from nixpy.cli.layout import table, tell
from nixpy.cli.output import SETTINGS, Styled, echo
from nixpy.core.errors import ProjectError
from nixpy.doctor.examine import CHECKS, Report, examine
from nixpy.doctor.machine_diagnostic import in_groups
from nixpy.doctor.report import as_json, looked_at_text, not_looked_at, rows, summary
from nixpy.locks import formats
from nixpy.project.discover import nearest_project, refuse_repository
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
    errors, 2 if nixpy could not look at something without which it does not know whether the project works here, and 0
    otherwise, also with warnings and notes.
    """
    folder = nearest_project(folder)
    report = examine(folder, venv or formats.workspace_folder(folder) / FOLDER, os.environ)
    if form == "json":
        print_json(as_json(report))
    else:
        _print(report)
        try:
            refuse_repository(folder, "doctor")
        except ProjectError as error:
            tell(f"{error.message}. {error.hint}", err=True)
    return report.status


def _print(report: Report) -> None:
    if not SETTINGS.verbose:
        report = replace(report, diagnostics=in_groups(report.diagnostics))
    if not SETTINGS.quiet:
        for line in table(rows(report.facts), indent=0):
            echo(line)
        echo("")
    for diagnostic in report.diagnostics:
        if diagnostic.level == "note" and SETTINGS.quiet:
            continue
        print_message(diagnostic.level, diagnostic.code, diagnostic.message)
        echo("  ", Styled("hint", fg="cyan"), ": ", Styled(diagnostic.command, bold=True))
    if SETTINGS.quiet:
        return
    tell(looked_at_text(report.facts), lead="looked at: ")
    for line in not_looked_at(report):
        tell(line, lead="not looked at: ")
    tell(summary(report, len(CHECKS)))
