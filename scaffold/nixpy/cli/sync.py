"""`nixpy sync`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from nixpy import plan, project
from nixpy.analyse import Sources
from nixpy.cli.common import build_option, folder, format_option, offline_option, progress, rescan_option
from nixpy.cli.report import report
from nixpy.errors import NixpyError
from nixpy.generated import reconcile


@click.command("sync", short_help="Bring the generated files up to date.")
@folder
@offline_option
@rescan_option
@build_option
@click.option("--upgrade", is_flag=True, help="Without a lock file: let uv choose newer versions.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would be written.")
@click.option("--force", is_flag=True, help="Overwrite a nixpy.nix or nixpy.lock that was edited or is not nixpy's.")
@format_option
def command(
    folder: Path, offline: bool, rescan: bool, allow_build: bool, upgrade: bool, diff: bool, force: bool, form: str
) -> None:
    """Bring nixpy.nix and nixpy.lock of the project in DIR up to date, after its dependencies or settings changed."""
    found = project.read(folder)
    choices = plan.choose(found)
    if choices.style is None:
        raise NixpyError("nixpy does not manage this project yet", path=folder, hint="run `nixpy init` first")
    sources = Sources(root=folder, offline=offline, rescan=rescan, allow_build=allow_build, upgrade=upgrade)
    with progress() as bar:
        made = plan.plan(found, choices, replace(sources, progress=bar))
    report(made, reconcile(made.outputs, write=not diff, force=force), form=form, diff=diff, first=False)
