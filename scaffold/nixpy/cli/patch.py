"""`nixpy patch`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from nixpy.cli.common import format_option, print_json, say
from nixpy.cli.layout import tell
from nixpy.core.errors import NixpyError
from nixpy.styles.styles import program


@click.command("patch")
@click.argument("venv", type=click.Path(path_type=Path), default=Path(".venv"), metavar="[VENV]")
@click.option("--restore", is_flag=True, help="Put the originals back, byte for byte.")
@format_option
def command(venv: Path, restore: bool, form: str) -> int:
    """Give new files in VENV (.venv by default) their libraries, and programs an interpreter, in the shell of style
    patched-venv. `nixpy-patch` there does the same where nixpy is not installed.

    Exits with 1 where a file had to be left alone, or a library opened at run time is not served.
    """
    patcher = program("patch_venv.py")
    try:
        report = patcher.restore(venv) if restore else patcher.patch(venv, patcher.read_settings())
    except patcher.PatchError as error:
        raise NixpyError(str(error), hint=error.hint) from error
    except KeyboardInterrupt:
        say("nixpy: interrupted; the next run goes on")
        return 130
    if form == "json":
        print_json(asdict(report))
    else:
        for line in patcher.told(report):
            tell(line.lstrip(), lead=line[: -len(line.lstrip())])
    return 1 if report.left or report.not_served else 0
