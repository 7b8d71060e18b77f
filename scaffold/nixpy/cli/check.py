"""`nixpy check`."""

from __future__ import annotations

from pathlib import Path

import click

import nixpy
from nixpy.cli.common import all_option, fail, progress, rescan_option
from nixpy.cli.formats import FORMATS
from nixpy.commands.check import outcome
from nixpy.project.discover import find_projects


@click.command("check")
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, file_okay=False), metavar="[DIR]...")
@all_option
@click.option("--diff", is_flag=True, help="Show how the files differ from what they should be.")
@rescan_option
@click.option(
    "--strict", is_flag=True, help="Exit with 1 also where only the library text in nixpy.nix is that of another nixpy."
)
@click.option(
    "--format",
    "form",
    metavar="FORMAT",
    type=click.Choice(list(FORMATS)),
    default="text",
    help="How results are printed: text (the default), json, github (annotations), gitlab (code quality), "
    "sarif (2.1.0), or markdown (for a summary).",
)
def command(folders: tuple[Path, ...], every: bool, diff: bool, rescan: bool, strict: bool, form: str) -> int:
    """Tell whether the Nix files still match the project. Needs neither network nor Nix.

    Exits with 0 where all are fresh, 1 where some are stale, edited by hand or missing, 2 for a file that is not
    nixpy's, or of a newer one. With --rescan the wheels are opened again, for which the network is used.

    "older library" means that the facts are right and the Nix functions below them are those of another nixpy: that
    fails only with --strict.
    """
    named = folders or (Path(),)
    found = [project for folder in named for project in find_projects(folder)] if every else named
    outcomes = [outcome(folder, _rescan if rescan else nixpy.check) for folder in found]
    for one in outcomes:
        if one.error:  # the other projects still have their say
            fail(one.error)
    FORMATS[form](outcomes, diff)
    return max(one.verdict.strict_status if strict and one.verdict else one.status for one in outcomes)


def _rescan(project: nixpy.Project) -> nixpy.Verdict:
    with progress() as bar:
        return nixpy.check(project, rescan=True, progress=bar)
