"""What several commands share: options, progress, and the ways their results are printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import click

from nixpy.cli import values
from nixpy.cli.layout import columns, tell
from nixpy.cli.output import Part, Styled, colour, echo, inert, print_document
from nixpy.core.errors import NixpyError
from nixpy.core.fault import Fault
from nixpy.core.target import SYSTEMS
from nixpy.diagnostics.diagnostic import Diagnostic, counted

_SILENCE = 10  # seconds after which one asks whether it still goes on
F = TypeVar("F", bound=Callable[..., Any])

folder = click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path(), metavar="[DIR]")
format_option = click.option(
    "--format",
    "form",
    metavar="FORMAT",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Output format: text (the default) or json.",
)
python_option = click.option(
    "--python", metavar="X.Y", shell_complete=values.pythons, help="Python version to analyse for, such as 3.13."
)
system_option = click.option(
    "--system",
    "systems",
    metavar="SYSTEM",
    multiple=True,
    type=click.Choice(SYSTEMS),
    help=f"System to analyse for: {', '.join(SYSTEMS)}; repeat it for more than one.",
)
nixpkgs_option = click.option(
    "--nixpkgs",
    metavar="REF",
    shell_complete=values.branches,
    help="Branch of nixpkgs, such as nixos-26.05, or a revision.",
)
offline_option = click.option(
    "--offline",
    is_flag=True,
    help="Use no network: give wheels that were not analysed every library that their platform tag allows.",
)
build_option = click.option(
    "--allow-build",
    is_flag=True,
    help="Let uv build packages that have no wheel, to learn their requirements (without a lock file). This runs "
    "their code.",
)
rescan_option = click.option("--rescan", is_flag=True, help="Analyse every wheel again.")
follow_option = click.option(
    "--follow-links",
    is_flag=True,
    help="Write through links that lead out of the project, if they stay in the same git repository.",
)
all_option = click.option(
    "--all", "every", is_flag=True, help="Every project in and below DIR that has settings of nixpy."
)


def print_json(data: dict[str, Any]) -> None:
    """Print a result as JSON; every report begins with its format number."""
    print_document({"format": 1, **data})


def diagnostics_data(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """Return diagnostics as their JSON."""
    return [
        {"code": diagnostic.code, "message": diagnostic.message, "package": diagnostic.package, "hint": diagnostic.hint}
        for diagnostic in diagnostics
    ]


def print_diagnostics(diagnostics: Sequence[Diagnostic], *, err: bool = False) -> None:
    """Print diagnostics, each with its code and what to do; with `err` to standard error."""
    for diagnostic in diagnostics:
        tell(diagnostic.message, lead=(Styled(diagnostic.code, fg="yellow"), " "), err=err)
        if diagnostic.hint:
            tell(diagnostic.hint, lead=" " * (len(diagnostic.code) + 1), err=err)


def fail(error: NixpyError) -> None:
    """Print one error: where, what, and the way out."""
    what, *details = str(error).split("\n")
    tell(what, lead=(Styled("error", fg="red", bold=True), ": "), err=True)
    for line in details:
        tell(line.lstrip(), lead=line[: -len(line.lstrip())], err=True)
    if error.hint:
        tell(error.hint, lead=("  ", Styled("hint", fg="cyan"), ": "), err=True)
    if isinstance(error, Fault) and (trace := error.trace()):
        echo(trace, nl=False, err=True)


def say(*parts: Part) -> None:
    """Say something on the way; results alone go to standard output."""
    echo(*parts, err=True)


def in_repository(folder: Path) -> bool:
    """Tell whether the folder lies in a git repository."""
    here = folder.resolve()
    return any((parent / ".git").exists() for parent in (here, *here.parents))


class PlainProgress:
    """Progress in lines, which logs keep and screens are read aloud by: at the start, and while it takes long."""

    def __init__(self) -> None:
        self._done = self._total = 0
        self._said = monotonic()

    def start(self, total: int) -> None:
        """Say how many wheels are to be opened."""
        self._total, self._said = total, monotonic()
        if total:
            say(f"opening {counted(total, 'wheel')}")

    def step(self, name: str, how: str) -> None:
        """One more wheel is known, which is said where nothing was for a while."""
        self._done += 1
        if monotonic() - self._said >= _SILENCE:
            say(f"opened {self._done} of {self._total}")
            self._said = monotonic()


@contextmanager
def progress() -> Iterator[Any]:
    """Yield a progress report on standard error: a bar on a terminal, plain lines elsewhere and without colour."""
    if columns(err=True) is None or colour() is False:
        yield PlainProgress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn
    from rich.text import Text

    class Count(MofNCompleteColumn):
        def render(self, task: Task) -> Text:
            return super().render(task) if task.total else Text()

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        Count(),
        TextColumn("{task.fields[last]}", markup=False),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("looking for wheels", total=None, last="")

        class Bar:
            def start(self, total: int) -> None:
                bar.update(task, total=total, description="opening wheels")

            def step(self, name: str, how: str) -> None:
                bar.update(task, advance=1, last=inert(f"{name} ({how})"))

        yield Bar()
