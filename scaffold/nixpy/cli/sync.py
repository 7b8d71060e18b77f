"""`nixpy sync`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from nixpy.analysis.analysis_options import AnalysisOptions
from nixpy.cli.common import (
    all_option,
    build_option,
    fail,
    folder,
    format_option,
    offline_option,
    print_json,
    progress,
    rescan_option,
)
from nixpy.cli.report import data, report
from nixpy.commands.plan import Plan, plan
from nixpy.core.errors import NixpyError
from nixpy.environment.options import resolve_options
from nixpy.files import library_input
from nixpy.files.reconcile import reconcile
from nixpy.project import project
from nixpy.project.discover import find_projects


@click.command("sync")
@folder
@all_option
@offline_option
@rescan_option
@build_option
@click.option("--upgrade", is_flag=True, help="Without a lock file: let uv choose newer versions.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would be written.")
@click.option("--force", is_flag=True, help="Overwrite a nixpy.nix or nixpy.lock that was edited or is not nixpy's.")
@format_option
def command(
    folder: Path,
    every: bool,
    offline: bool,
    rescan: bool,
    allow_build: bool,
    upgrade: bool,
    diff: bool,
    force: bool,
    form: str,
) -> int:
    """Bring nixpy.nix and nixpy.lock of the project in DIR up to date, after its dependencies or settings changed."""
    status, reports = 0, []
    for root in find_projects(folder) if every else (folder,):
        analysis_options = AnalysisOptions(
            root=root, offline=offline, rescan=rescan, allow_build=allow_build, upgrade=upgrade
        )
        try:
            made = _plan(root, analysis_options)
            comparisons = reconcile(made.outputs, write=not diff, force=force)
        except NixpyError as error:
            if not every:
                raise
            fail(error)  # the other projects are synced all the same
            status = 2
            continue
        if form == "json":
            reports.append(data(made, comparisons, diff=diff))
            continue
        if every and not diff:
            click.echo(click.style(f"{root}:", bold=True))
        report(made, comparisons, diff=diff, first=False)
    if form == "json":
        print_json({"projects": reports})
    return status


def _plan(root: Path, analysis_options: AnalysisOptions) -> Plan:
    found = project.read(root)
    resolved = resolve_options(found)
    if resolved.style is None:
        raise NixpyError("nixpy does not manage this project yet", path=root, hint="run `nixpy init` first")
    library_input.refuse(found)
    with progress() as bar:
        return plan(found, resolved, replace(analysis_options, progress=bar))
