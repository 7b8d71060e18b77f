"""Print the result of `init --all` on one screen, or with `-v` in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from nixpy.cli.common import print_message, say
from nixpy.cli.layout import print_command, table, tell
from nixpy.cli.output import SETTINGS, Styled, echo
from nixpy.cli.report import is_changed, print_diffs, report
from nixpy.commands.init_all import SetUp, next_steps
from nixpy.commands.summary import wheel_counts
from nixpy.core.git import is_checkout
from nixpy.diagnostics.diagnostic import counted, shorten
from nixpy.files.reconcile import Comparison, State


def report_all(
    root: Path,
    done: Sequence[SetUp],
    left_out: Mapping[Path, str],
    written: Sequence[Comparison],
    lines: str | None,
    *,
    diff: bool,
) -> None:
    """Print the projects, their choices, the written files and the next steps.

    Args:
        root: The folder of the repository.
        done: The results of the projects; their errors were printed before.
        left_out: Folders with files of a project that were not set up, each with its kind.
        written: The flake.nix, if there was none.
        lines: The lines for the flake.nix that exists.
        diff: Print what would change.
    """
    plans = [(one, one.plan) for one in done if one.plan]
    if diff:
        print_diffs([*written, *(item for one, _ in plans for item in one.comparisons)])
        return
    if not SETTINGS.quiet:
        for one, plan in plans if SETTINGS.verbose else ():
            echo(Styled(f"{one.folder}:", bold=True))
            report(plan, one.comparisons, diff=False, first=False)
            echo("")
        for line in _choices(done):
            echo(line)
        _left_out(left_out)
        echo("")
        _written(done, written)
        _diagnostics(done)
        tell(_total(done))
    if lines:
        say("")
        tell("flake.nix is yours, and nixpy does not change it; add these lines to it:", err=True)
        say("")
        echo(lines)
    if plans and not SETTINGS.quiet:
        say("\n", Styled("next:", bold=True))
        for step in next_steps(root, done, here=Path.cwd(), in_git=is_checkout(root)):
            print_command(step.text, step.reason)


def _choices(done: Sequence[SetUp]) -> Iterator[str]:
    """Yield a row for each project, and the choices that are the same in all."""
    plans = [one.plan for one in done if one.plan]
    some = {"python": [plan.resolved.python for plan in plans], "nixpkgs": [plan.resolved.nixpkgs for plan in plans]}
    some["systems"] = [", ".join(plan.resolved.systems) for plan in plans]
    same = {name: values[0] for name, values in some.items() if len({*values}) == 1}
    names = [name for name in some if name not in same]
    rows = [["project", "source", "style", "manager", *names, "packages"]]
    numbers = iter(range(len(plans)))
    for one in done:
        if one.plan is None:
            rows.append([str(one.folder), *[""] * (len(names) + 3), "not set up"])
            continue
        chosen, number = one.plan.resolved, next(numbers)
        counts, _, _ = wheel_counts(one.plan).partition(",")
        source = one.plan.project.source.name
        choices = [str(chosen.style), chosen.manager, *(some[name][number] for name in names)]
        rows.append([str(one.folder), source, *choices, counts])
    yield from table(rows, 0)
    if same and plans:
        yield from table([["all projects", ", ".join(f"{name} {value}" for name, value in same.items())]], 0)


def _left_out(left_out: Mapping[Path, str]) -> None:
    """Print the folders that were not set up, with one line for each kind."""
    for kind in dict.fromkeys(left_out.values()):
        folders = [str(folder) for folder, one in left_out.items() if one == kind]
        tell(shorten(folders, shown=len(folders) if SETTINGS.verbose else None), lead=f"left out as {kind}: ")


def _written(done: Sequence[SetUp], written: Sequence[Comparison]) -> None:
    """Print the files; projects in which the same files were written have one line."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for one in done:
        if one.plan:
            names = tuple(str(item.path.relative_to(one.folder)) for item in _changed(one.comparisons))
            groups.setdefault(names, []).append(str(one.folder))
    for item in written:
        tell(str(item.path), lead=Styled("wrote ", fg="green"))
    for names, folders in groups.items():
        where = shorten(folders, shown=len(folders) if SETTINGS.verbose else 4)
        if names:
            tell(f"{', '.join(names)} in {where}", lead=Styled("wrote ", fg="green"))
        else:
            tell(f": {where}", lead=Styled("up to date", fg="green"))


def _changed(comparisons: Sequence[Comparison]) -> list[Comparison]:
    return [item for item in comparisons if item.state is not State.FRESH]


def _diagnostics(done: Sequence[SetUp]) -> None:
    """Print the number of diagnostics of each code, and the projects."""
    found: dict[tuple[Literal["warning", "note"], str], Counter[str]] = {}
    for one in done:
        for diagnostic in one.plan.diagnostics if one.plan else ():
            found.setdefault((diagnostic.level, diagnostic.code), Counter())[str(one.folder)] += 1
    for (level, code), folders in {} if SETTINGS.verbose else found.items():
        where = shorten(sorted(folders))
        print_message(level, code, f"{counted(folders.total(), 'diagnostic')} in {where}; -v shows them")


def _total(done: Sequence[SetUp]) -> str:
    failed = sum(one.error is not None for one in done)
    changed = sum(is_changed(one.comparisons) for one in done)
    states = {"set up": changed, "up to date": len(done) - failed - changed, "failed": failed}
    parts = ", ".join(f"{number} {state}" for state, number in states.items() if number)
    return f"{counted(len(done), 'project')}: {parts}"
