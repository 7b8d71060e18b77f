"""`nixpy check`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nixpy import project
from nixpy.check import Verdict, check, rescan
from nixpy.cli.common import (
    fail,
    format_option,
    print_json,
    problem_data,
    progress,
    rescan_option,
    say,
)
from nixpy.errors import NixpyError
from nixpy.generated import State

_REMEDY = {
    State.FRESH: "",
    State.STALE: "run `nixpy sync`",
    State.EDITED: "put the edit into [tool.nixpy] or flake.nix, then run `nixpy sync --force`",
    State.MISSING: "run `nixpy init`",
    State.FOREIGN: "move it away, or set `file` in [tool.nixpy]",
    State.NEWER: "update nixpy",
}


@click.command("check")
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path, file_okay=False), metavar="[DIR]...")
@click.option("--diff", is_flag=True, help="Show how the files differ from what they should be.")
@rescan_option
@format_option
def command(folders: tuple[Path, ...], diff: bool, rescan: bool, form: str) -> int:
    """Tell whether the Nix files still match the project. Needs neither network nor Nix.

    Exits with 0 where all are fresh, 1 where some are stale, edited by hand or missing, 2 for a file that is not
    nixpy's, or of a newer one. With --rescan the wheels are opened again, for which the network is used.
    """
    status, reports = 0, []
    for folder in folders or (Path(),):
        try:
            verdict = _verdict(folder, rescan)
        except NixpyError as error:  # the other projects still have their say
            fail(error)
            reports.append({"folder": str(folder), "state": "error", "remedy": error.hint, "reasons": [str(error)]})
            status = 2
            continue
        reports.append(_data(folder, verdict, diff))
        status = max(status, verdict.status)
        if form == "text":
            _print(folder, verdict, diff)
    if form == "json":
        print_json({"projects": reports})
    return status


def _verdict(folder: Path, again: bool) -> Verdict:
    found = project.read(folder)
    if not again:
        return check(found)
    with progress() as bar:
        return rescan(found, bar)


def _print(folder: Path, verdict: Verdict, diff: bool) -> None:
    colour = {0: "green", 1: "yellow", 2: "red"}[verdict.status]
    state = click.style(verdict.state.value, fg=colour)
    remedy = _REMEDY[verdict.state]
    click.echo(f"{folder}: {state}" + (f"; {remedy}" if remedy else ""))
    for file in verdict.files:
        if file.state is not State.FRESH:
            click.echo(f"  {file.path}: {file.state.value}")
    for reason in verdict.reasons:
        click.echo(f"  {reason}")
    if verdict.problems:
        codes = ", ".join(sorted({problem.code for problem in verdict.problems}))
        say(f"  {len(verdict.problems)} known problems ({codes}); `nixpy sync` tells them")
    if diff:
        for file in verdict.files:
            click.echo(file.diff, nl=False)
        if verdict.status and not any(file.diff for file in verdict.files):
            click.echo("  what would change, only the wheels can tell: `nixpy sync --diff`")


def _data(folder: Path, verdict: Verdict, diff: bool) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "state": verdict.state.value,
        "remedy": _REMEDY[verdict.state] or None,
        "files": [
            {"path": str(file.path), "state": file.state.value, **({"diff": file.diff} if diff else {})}
            for file in verdict.files
        ],
        "reasons": list(verdict.reasons),
        "problems": problem_data(verdict.problems),
    }
