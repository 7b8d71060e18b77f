"""Provide options, progress and output that several commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any, Literal, TypeVar

import click

from nixpy.cli import values
from nixpy.cli.layout import columns, tell
from nixpy.cli.output import SETTINGS, Part, Styled, colour, echo, inert, print_document
from nixpy.core.errors import BuildNeededError, NixpyError
from nixpy.core.fault import Fault
from nixpy.core.target import SYSTEMS
from nixpy.diagnostics.diagnostic import Diagnostic, counted
from nixpy.diagnostics.grouping import in_groups

_SILENCE = 10  # seconds without output after which a user may think that nixpy hangs
F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

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
_build_options = (
    click.option(
        "--allow-build",
        is_flag=True,
        help="Let uv build packages that have no wheel, to learn their requirements (without a lock file). This runs "
        "their code.",
    ),
    click.option(
        "--allow-build-of",
        "allowed",
        metavar="NAME",
        multiple=True,
        help="As --allow-build, for the package NAME only; repeat it for more than one.",
    ),
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


def build_options(command: F) -> F:
    """Add the options about builds to a command, as `allow_build` and `allowed`."""
    for option in reversed(_build_options):
        command = option(command)
    return command


def with_builds(
    run: Callable[[bool | Sequence[str]], T], *, allow_build: bool, allowed: Sequence[str], form: str = "text"
) -> T:
    """Call `run` with the builds that the user allows, and return its result.

    On a terminal, nixpy puts one question for each package that must be built, except in CI and with `--quiet`.

    Args:
        run: A function of `allow_build`, as the functions of `import nixpy` have it.
        allow_build: The option: all packages may be built.
        allowed: The option: the names of packages that may be built.
        form: The output format; nixpy asks only with `text`.

    Raises:
        BuildNeededError: A package must be built, and the user does not allow it, or there is no terminal.
    """
    while True:
        try:
            return run(allow_build or allowed)
        except BuildNeededError as error:
            names = [name for name in error.packages if name not in allowed]
            if not names or form != "text" or SETTINGS.quiet or not _can_ask():
                raise
            if not all(
                click.confirm(f"Build {name} to learn its requirements? This runs its code.", err=True)
                for name in names
            ):
                raise
            allowed = (*allowed, *names)


def _can_ask() -> bool:
    return not os.environ.get("CI") and sys.stdin.isatty() and sys.stdout.isatty()


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
    """Print diagnostics, each with its code and hint; with `err` to standard error.

    Those of one cause are one line, except with `-v`.
    """
    for diagnostic in diagnostics if SETTINGS.verbose else in_groups(diagnostics):
        print_message(diagnostic.level, diagnostic.code, diagnostic.message, diagnostic.hint, err=err)


def print_message(
    level: Literal["error", "warning", "note"],
    code: str,
    text: str,
    hint: str | None = None,
    *,
    details: Iterable[str] = (),
    err: bool = False,
) -> None:
    """Print a message in the form of all messages.

    The form is `error[NIX701]: FILE:LINE: text`, and below it `hint: text`.

    Args:
        level: An error ends the command with a status that is not 0; a warning and a note do not.
        code: A code in `diagnostics/codes.csv`.
        text: The message; it begins with the file and the line, if they are known.
        hint: The remedy.
        details: Lines between the two, with their indent.
        err: Print to standard error. `--quiet` silences warnings there, but no errors.
    """
    colour = {"error": "red", "warning": "yellow", "note": "cyan"}[level]
    tell(text, lead=(Styled(f"{level}[{code}]", fg=colour, bold=True), ": "), err=err, always=level == "error")
    for line in details:
        indented = line.lstrip()
        tell(indented, lead=line.removesuffix(indented), err=err, always=level == "error")
    if hint:
        tell(hint, lead=("  ", Styled("hint", fg="cyan"), ": "), err=err, always=level == "error")


def fail(error: NixpyError) -> None:
    """Print one error: its place, its message and its hint."""
    what, *details = str(error).split("\n")
    print_message("error", error.code, what, error.hint, details=details, err=True)
    if isinstance(error, Fault) and (trace := error.trace()):
        echo(trace, nl=False, err=True, always=True)


def say(*parts: Part) -> None:
    """Print progress to standard error; only results go to standard output."""
    echo(*parts, err=True)


class PlainProgress:
    """Progress in lines, for logs and screen readers.

    Lines are printed at the start, and while it takes long.
    """

    def __init__(self) -> None:
        self._done = self._total = 0
        self._said = monotonic()

    def start(self, total: int) -> None:
        """Print the number of wheels to open."""
        self._done, self._total, self._said = 0, total, monotonic()
        if total:
            say(f"opening {counted(total, 'wheel file')}")

    def step(self, name: str, how: str) -> None:
        """Count a wheel; print the count if nothing was printed for a while."""
        if not self._total:
            say(f"{how} for {name}")
            return
        self._done += 1
        if monotonic() - self._said >= _SILENCE:
            say(f"opened {self._done} of {counted(self._total, 'wheel file')}")
            self._said = monotonic()


@contextmanager
def progress() -> Iterator[Any]:
    """Yield a progress report on standard error.

    It is a bar on a terminal, and plain lines elsewhere and without colour.
    """
    if columns(err=True) is None or colour() is False or SETTINGS.quiet or SETTINGS.verbose:
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
                description = "opening wheel files" if total else "looking for wheels"
                bar.update(task, total=total, completed=0, description=description)

            def step(self, name: str, how: str) -> None:
                bar.update(task, advance=1, last=inert(f"{name} ({how})"))

        yield Bar()
