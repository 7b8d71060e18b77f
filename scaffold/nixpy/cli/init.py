"""`nixpy init`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

import nixpy
from nixpy.analysis.analysis_options import AnalysisOptions
from nixpy.cli import values
from nixpy.cli.common import (
    build_options,
    fail,
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
    with_builds,
)
from nixpy.cli.report import data, report
from nixpy.cli.report_all import report_all
from nixpy.commands import init_all
from nixpy.core.errors import ProjectError
from nixpy.environment.options import Options
from nixpy.files.reconcile import reconcile
from nixpy.project import managers
from nixpy.project.discover import refuse_repository, survey


@click.command("init")
@folder
@click.option("--all", "every", is_flag=True, help="Every project in and below DIR, and one flake.nix in DIR for them.")
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
@build_options
@click.option("--diff", is_flag=True, help="Show what would change; write nothing.")
@click.option(
    "--force", is_flag=True, help="Overwrite a nixpy.nix or nixpy.lock that was edited or that nixpy did not write."
)
@follow_option
@format_option
def command(
    folder: Path,
    every: bool,
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
    allowed: tuple[str, ...],
    diff: bool,
    force: bool,
    follow_links: bool,
    form: str,
) -> int:
    """Analyse the project in DIR and write the Nix files that make its wheels work.

    nixpy writes nixpy.nix and nixpy.lock, and your choices into [tool.nixpy] of pyproject.toml (or nixpy.toml). It
    writes flake.nix if there is neither this file nor a shell.nix or default.nix; from then on, that file is yours.

    With --all, nixpy sets up every project in and below DIR, also those without settings of nixpy. One flake.nix in DIR
    then has a shell for each project. The exit status is 2 if a project could not be set up; the others are.
    """
    if every:
        options = Options(
            style=style,
            manager=manager,
            python=python,
            nixpkgs=nixpkgs,
            systems=systems,
            features=features,
            flake=flake is not False,
            direnv=direnv,
        )
        analysis_options = AnalysisOptions(
            root=folder, offline=offline, rescan=rescan, allow_build=allow_build or allowed
        )
        return _all(folder, options, analysis_options, diff=diff, force=force, follow_links=follow_links, form=form)
    refuse_repository(folder, "init")
    project = nixpy.read_project(folder)

    def plan(allow_build: bool | Sequence[str]) -> nixpy.Plan:
        with progress() as bar:
            return nixpy.plan(
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

    made = with_builds(plan, allow_build=allow_build, allowed=allowed, form=form)
    comparisons = reconcile(made.files, write=not diff, force=force, root=made.project.root, follow_links=follow_links)
    if form == "json":
        print_json({"projects": [data(made, comparisons, diff=diff)]})
    else:
        report(made, comparisons, diff=diff, first=True)
    return 0


def _all(
    root: Path,
    options: Options,
    analysis_options: AnalysisOptions,
    *,
    diff: bool,
    force: bool,
    follow_links: bool,
    form: str,
) -> int:
    """Set up every project below `root`, and return the exit status."""
    repository = survey(root)
    if not repository.projects:
        raise ProjectError("no Python project here or below", path=root, hint="Name the folder of a repository.")
    names = init_all.shell_names(root, repository.projects)
    done = []
    for place, name in names.items():
        with progress() as bar:
            one = init_all.set_up(
                root,
                place,
                name,
                options,
                replace(analysis_options, progress=bar),
                write=not diff,
                force=force,
                follow_links=follow_links,
            )
        done.append(one)
    flake, lines = init_all.root_flake(root, done) if options.flake else (None, None)
    written = reconcile([flake] if flake else [], write=not diff, root=root, follow_links=follow_links)
    for one in done:
        if one.error:
            fail(one.error)
    if form == "json":
        shells = {one.name: str(one.folder) for one in done if one.plan}
        projects = [data(one.plan, one.comparisons, diff=diff) for one in done if one.plan]
        print_json({"projects": projects, "shells": shells, "lines": lines})
    else:
        report_all(root, done, repository.left_out, written, lines, diff=diff)
    return 2 if any(one.error for one in done) else 0
