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
    help="How Python finds the libraries; see `nixpy styles`.  [default: recommended for the project]",
)
@click.option(
    "--manager",
    metavar="MANAGER",
    type=click.Choice(managers.NAMES),
    help=f"Program that installs into .venv when you enter the shell: {', '.join(managers.NAMES)}.  "
    "[default: the one that matches the lock of the project]",
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
    help="Addition to the style; see `nixpy styles`; repeat it for more than one.",
)
@click.option("--direnv", is_flag=True, help="Write .envrc, if there is none, so that direnv enters the shell.")
@click.option(
    "--flake/--no-flake",
    default=None,
    help="Write flake.nix, or shell.nix instead and default.nix if the style builds something.  "
    "[default: flake.nix, unless the project has only a shell.nix or default.nix]",
)
@offline_option
@rescan_option
@build_option
@click.option("--diff", is_flag=True, help="Show what would change; write nothing.")
@click.option(
    "--force", is_flag=True, help="Overwrite a nixpy.nix or nixpy.lock that was edited or that nixpy did not write."
)
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
    flake: bool | None,
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

    nixpy writes nixpy.nix and nixpy.lock, and your choices into [tool.nixpy] of pyproject.toml (or nixpy.toml). It
    writes flake.nix if there is neither this file nor a shell.nix or default.nix; from then on, that file is yours.
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
            flake=flake,
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
