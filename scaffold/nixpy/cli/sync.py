"""`nixpy sync`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click
from click.core import ParameterSource

import nixpy
from nixpy.cli.common import (
    all_option,
    build_options,
    fail,
    folder,
    follow_option,
    format_option,
    offline_option,
    print_json,
    progress,
    rescan_option,
    with_builds,
)
from nixpy.cli.report import data, is_changed, report, report_changes, report_total
from nixpy.core.fault import as_error
from nixpy.files.reconcile import reconcile
from nixpy.project.discover import find_projects, nearest_project, refuse_repository


@click.command("sync")
@folder
@all_option
@offline_option
@rescan_option
@build_options
@click.option("--upgrade", is_flag=True, help="Let uv choose newer versions (without a lock file).")
@click.option("--diff", is_flag=True, help="Show what would change; write nothing.")
@click.option(
    "--force", is_flag=True, help="Overwrite a nixpy.nix or nixpy.lock that was edited or that nixpy did not write."
)
@follow_option
@format_option
def command(
    folder: Path,
    every: bool,
    offline: bool,
    rescan: bool,
    allow_build: bool,
    allowed: tuple[str, ...],
    upgrade: bool,
    diff: bool,
    force: bool,
    follow_links: bool,
    form: str,
) -> int:
    """Update nixpy.nix and nixpy.lock of the project in DIR, after its dependencies or settings changed.

    Without DIR, nixpy updates the project that the current folder belongs to.
    """

    def plan(project: nixpy.Project, allow_build: bool | Sequence[str]) -> nixpy.Plan:
        with progress() as bar:
            return nixpy.plan(
                project,
                user_files=False,
                offline=offline,
                rescan=rescan,
                allow_build=allow_build,
                upgrade=upgrade,
                progress=bar,
            )

    status, reports, states = 0, [], Counter({"changed": 0, "up to date": 0, "failed": 0})
    named = click.get_current_context().get_parameter_source("folder") is not ParameterSource.DEFAULT
    for root in find_projects(folder) if every else (folder if named else nearest_project(folder),):
        try:
            refuse_repository(root, "sync")
            project = nixpy.read_project(root)
            made = with_builds(partial(plan, project), allow_build=allow_build, allowed=allowed, form=form)
            comparisons = reconcile(
                made.files, write=not diff, force=force, root=made.project.root, follow_links=follow_links
            )
        except Exception as error:
            if not every or isinstance(error, BrokenPipeError):
                raise
            # The other projects are synced all the same.
            told = as_error(error, command="nixpy sync --all", path=root)
            told.path = told.path or root
            fail(told)
            status = 2
            states["failed"] += 1
            continue
        states["changed" if is_changed(comparisons) else "up to date"] += 1
        if form == "json":
            reports.append(data(made, comparisons, diff=diff))
        elif every:
            report_changes(root, made, comparisons, diff=diff)
        else:
            report(made, comparisons, diff=diff, first=False)
    if form == "json":
        print_json({"projects": reports})
    elif every and not diff:
        report_total(states)
    return status
