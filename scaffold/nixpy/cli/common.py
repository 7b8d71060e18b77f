"""What several commands share: options, progress, and the ways their results are printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from nixpy.errors import NixpyError
from nixpy.problems import Problem
from nixpy.target import SYSTEMS

F = TypeVar("F", bound=Callable[..., Any])

folder = click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path(), metavar="[DIR]")
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How results are printed.",
)
python_option = click.option("--python", metavar="X.Y", help="The Python to analyse for, such as 3.13.")
system_option = click.option(
    "--system",
    "systems",
    multiple=True,
    type=click.Choice(SYSTEMS),
    help="A system to analyse for; may be given several times.",
)
nixpkgs_option = click.option(
    "--nixpkgs", metavar="REF", help="A branch of nixpkgs, such as nixos-26.05, or a revision."
)
offline_option = click.option(
    "--offline", is_flag=True, help="Use no network: what is not known yet is taken from the wheel's tag."
)
build_option = click.option(
    "--allow-build", is_flag=True, help="Without a lock file: let uv build what has no wheel, to learn what it needs."
)
rescan_option = click.option("--rescan", is_flag=True, help="Open every wheel again.")
all_option = click.option(
    "--all", "every", is_flag=True, help="Every project at and below DIR that has settings of nixpy."
)


def print_json(data: dict[str, Any]) -> None:
    """Print a result as JSON; every report begins with its format number."""
    click.echo(json.dumps({"format": 1, **data}, indent=2, ensure_ascii=False))


def problem_data(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Return problems as their JSON."""
    return [
        {"code": problem.code, "message": problem.message, "package": problem.package, "hint": problem.hint}
        for problem in problems
    ]


def print_problems(problems: Sequence[Problem], *, err: bool = False) -> None:
    """Print problems, each with its code and what to do; with `err` to standard error."""
    for problem in problems:
        click.echo(f"{click.style(problem.code, fg='yellow')} {problem.message}", err=err)
        if problem.hint:
            click.echo(f"       {problem.hint}", err=err)


def table(rows: Sequence[Sequence[str]], indent: int = 2) -> Iterator[str]:
    """Yield the rows as lines with aligned columns; the last column may be of any length."""
    if not rows:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield (" " * indent + "  ".join((*cells, row[-1]))).rstrip()


def fail(error: NixpyError) -> None:
    """Print one error: where, what, and the way out."""
    click.echo(f"{click.style('error', fg='red', bold=True)}: {error}", err=True)
    if error.hint:
        click.echo(f"  {click.style('hint', fg='cyan')}: {error.hint}", err=True)


def say(text: str) -> None:
    """Say something on the way; results alone go to standard output."""
    click.echo(text, err=True)


class Plain:
    """Progress where nobody watches: one line at the start."""

    def start(self, total: int) -> None:
        """Say how many wheels are to be opened."""
        if total:
            say(f"opening {total} wheel{'s' if total > 1 else ''}")

    def step(self, name: str, how: str) -> None:
        """One more wheel is known."""


@contextmanager
def progress() -> Iterator[Any]:
    """Yield a progress report on standard error: a bar on a terminal, a plain line elsewhere."""
    if not sys.stderr.isatty():
        yield Plain()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    with Progress(
        TextColumn("opening wheels"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("", total=None)

        class Bar:
            def start(self, total: int) -> None:
                bar.update(task, total=total)

            def step(self, name: str, how: str) -> None:
                bar.update(task, advance=1, description=f"{name} ({how})")

        yield Bar()
