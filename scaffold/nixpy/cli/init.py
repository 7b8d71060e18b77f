"""`nixpy init`."""

from __future__ import annotations

from pathlib import Path

import click

from nixpy.analysis.analysis_options import AnalysisOptions
from nixpy.cli import values
from nixpy.cli.common import (
    build_option,
    folder,
    format_option,
    nixpkgs_option,
    offline_option,
    print_json,
    progress,
    python_option,
    rescan_option,
    system_option,
)
from nixpy.cli.report import data, report
from nixpy.commands.init import with_user_files
from nixpy.commands.plan import plan
from nixpy.environment import lang2nix
from nixpy.environment.options import Options, resolve_options, with_features
from nixpy.files import library_input
from nixpy.files.reconcile import reconcile
from nixpy.project import managers, project
from nixpy.styles import styles


@click.command("init")
@folder
@click.option(
    "--style",
    metavar="STYLE",
    shell_complete=values.styles,
    help="How libraries reach Python; see `nixpy styles`.  [default: recommended]",
)
@click.option(
    "--manager",
    metavar="MANAGER",
    type=click.Choice(managers.NAMES),
    help=f"What fills .venv when the shell is entered: {', '.join(managers.NAMES)}.  "
    "[default: the one whose lock the project has]",
)
@python_option
@system_option
@nixpkgs_option
@click.option(
    "--feature",
    "features",
    metavar="FEATURE",
    multiple=True,
    shell_complete=values.features,
    help="What the shell has besides; see `nixpy styles`; may be given several times.",
)
@click.option("--direnv", is_flag=True, help="Write .envrc, where there is none: direnv then enters the shell.")
@click.option("--no-flake", is_flag=True, help="Instead of flake.nix write shell.nix, and default.nix if it is built.")
@offline_option
@rescan_option
@build_option
@click.option("--diff", is_flag=True, help="Write nothing; show what would be written.")
@click.option("--force", is_flag=True, help="Overwrite a nixpy.nix or nixpy.lock that was edited or is not nixpy's.")
@format_option
def command(
    folder: Path,
    style: str | None,
    manager: str | None,
    python: str | None,
    systems: tuple[str, ...],
    nixpkgs: str | None,
    features: tuple[str, ...],
    no_flake: bool,
    direnv: bool,
    offline: bool,
    rescan: bool,
    allow_build: bool,
    diff: bool,
    force: bool,
    form: str,
) -> None:
    """Analyse the project in DIR and write the Nix files that make its wheels work.

    Writes nixpy.nix and nixpy.lock, your choices into [tool.nixpy] of pyproject.toml (nixpy.toml without one), and
    flake.nix once, where there is none: that file is yours from then on.
    """
    options = Options(
        style=style,
        manager=manager,
        python=python,
        nixpkgs=nixpkgs,
        systems=systems,
        features=features,
        flake=not no_flake,
        direnv=direnv,
    )
    found = with_features(project.read(folder), options)
    library_input.refuse(found, flake_comes=options.flake)
    resolved = resolve_options(found, options)
    if resolved.style:
        lang2nix.refuse(found, styles.find(resolved.style), flake=options.flake)
    with progress() as bar:
        made = plan(
            found,
            resolved,
            AnalysisOptions(root=folder, offline=offline, rescan=rescan, allow_build=allow_build, progress=bar),
        )
    made = with_user_files(made, options)
    comparisons = reconcile(made.outputs, write=not diff, force=force)
    if form == "json":
        print_json({"projects": [data(made, comparisons, diff=diff)]})
    else:
        report(made, comparisons, diff=diff, first=True)
