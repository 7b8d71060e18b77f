"""`nixpy init`."""

from __future__ import annotations

from pathlib import Path

import click

import nixpy
from nixpy.cli import values
from nixpy.cli.common import (
    build_option,
    folder,
    follow_option,
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
from nixpy.files.reconcile import reconcile
from nixpy.project import managers


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
@follow_option
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
    follow_links: bool,
    form: str,
) -> None:
    """Analyse the project in DIR and write the Nix files that make its wheels work.

    Writes nixpy.nix and nixpy.lock, your choices into [tool.nixpy] of pyproject.toml (nixpy.toml without one), and
    flake.nix once, where there is none: that file is yours from then on.
    """
    project = nixpy.read_project(folder)
    with progress() as bar:
        made = nixpy.plan(
            project,
            style,
            python=python,
            systems=systems,
            nixpkgs=nixpkgs,
            manager=manager,
            features=features,
            flake=not no_flake,
            direnv=direnv,
            offline=offline,
            rescan=rescan,
            allow_build=allow_build,
            progress=bar,
        )
    comparisons = reconcile(made.files, write=not diff, force=force, root=made.project.root, follow_links=follow_links)
    if form == "json":
        print_json({"projects": [data(made, comparisons, diff=diff)]})
    else:
        report(made, comparisons, diff=diff, first=True)
