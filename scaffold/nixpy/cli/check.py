"""`nixpy check`."""

from __future__ import annotations

from pathlib import Path

import click

import nixpy
from nixpy.cli.common import all_option, fail, progress, rescan_option
from nixpy.cli.formats import FORMATS
from nixpy.commands.check import Outcome, outcome
from nixpy.core.errors import ProjectError
from nixpy.project.discover import find_projects, nearest_project, refuse_repository


@click.command("check")
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, file_okay=False), metavar="[DIR]...")
@all_option
@click.option("--diff", is_flag=True, help="Show how the files differ from what nixpy would write.")
@rescan_option
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with 1 also when only the Nix functions in nixpy.nix are from another version of nixpy.",
)
@click.option(
    "--format",
    "form",
    metavar="FORMAT",
    type=click.Choice(list(FORMATS)),
    default="text",
    help="Output format: text (the default), json, github (annotations), gitlab (code quality), "
    "sarif (2.1.0), or markdown (for a summary).",
)
def command(folders: tuple[Path, ...], every: bool, diff: bool, rescan: bool, strict: bool, form: str) -> int:
    """Check that nixpy.nix and nixpy.lock are up to date. Needs no network and no Nix.

    Without DIR, nixpy checks the project that the current folder belongs to.

    The exit status is 0 if all files are up to date, 1 if a file is out of date, edited or missing, and 2 if another
    program or a newer nixpy wrote it. With --rescan, nixpy analyses the wheels again and uses the network.

    "older library" means that the facts are right and the Nix functions below them are from another version of nixpy.
    This fails only with --strict.
    """
    named = folders or (Path() if every else nearest_project(Path()),)
    found = [project for folder in named for project in find_projects(folder)] if every else named
    outcomes = [_outcome(folder, rescan=rescan) for folder in found]
    for one in outcomes:
        if one.error:  # the other projects are still checked
            fail(one.error)
    FORMATS[form](outcomes, diff)
    return max(one.verdict.strict_status if strict and one.verdict else one.status for one in outcomes)


def _outcome(folder: Path, *, rescan: bool) -> Outcome:
    try:
        refuse_repository(folder, "check")
    except ProjectError as error:
        return Outcome(folder=folder, error=error)
    return outcome(folder, _rescan if rescan else nixpy.check)


def _rescan(project: nixpy.Project) -> nixpy.Verdict:
    with progress() as bar:
        return nixpy.check(project, rescan=True, progress=bar)
