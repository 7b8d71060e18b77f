"""`nixpy patch`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from nixpy.cli.common import format_option, print_json, say
from nixpy.cli.layout import tell
from nixpy.cli.output import SETTINGS
from nixpy.core.errors import VenvError
from nixpy.styles.styles import program


@click.command("patch")
@click.argument("venv", type=click.Path(path_type=Path), default=Path(".venv"), metavar="[VENV]")
@click.option("--restore", is_flag=True, help="Restore the original files, byte for byte.")
@format_option
def command(venv: Path, restore: bool, form: str) -> int:
    """Patch new files in VENV (.venv by default), so that they find their libraries and programs their loader.

    Run it in the shell of style patched-venv. `nixpy-patch` does the same there, without nixpy. The exit status is 1
    if a file could not be patched, or if a library that is opened at run time is missing.
    """
    patcher = program("patch_venv.py")
    try:
        report = patcher.restore(venv) if restore else patcher.patch(venv, patcher.read_settings())
    except patcher.PatchError as error:
        raise VenvError(str(error), hint=error.hint) from error
    except KeyboardInterrupt:
        say("nixpy: interrupted; run it again to continue")
        return 130
    if form == "json":
        print_json(asdict(report))
    else:
        silent = SETTINGS.quiet and not (report.left or report.not_served)
        for line in () if silent else patcher.lines(report):
            tell(line.lstrip(), lead=line[: -len(line.lstrip())])
    return 1 if report.left or report.not_served else 0
