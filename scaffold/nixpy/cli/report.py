"""Print the results of `init` and `sync`: on one screen, or with `-v` in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nixpy.cli.common import diagnostics_data, print_diagnostics, print_message, say
from nixpy.cli.layout import print_command, table, tell
from nixpy.cli.left_out import print_left_out
from nixpy.cli.output import SETTINGS, Styled, echo
from nixpy.commands.changes import changes
from nixpy.commands.next_steps import next_steps
from nixpy.commands.plan import Plan
from nixpy.commands.scan import evidence_data
from nixpy.commands.summary import first_diagnostics, first_libraries, wheel_counts, workspace_places
from nixpy.core.git import is_checkout
from nixpy.diagnostics.diagnostic import counted, shorten
from nixpy.environment.facts import reason
from nixpy.files.reconcile import Comparison, State
from nixpy.project import managers

_ROWS = 4  # of a list, without -v: the report of a project fits on a screen of 24 lines
_NAMES = 1  # of packages in such a row
_DIAGNOSTICS = 2  # of one code


def report(plan: Plan, comparisons: Sequence[Comparison], *, diff: bool, first: bool) -> None:
    """Print the choices, the libraries, the written files, and the next steps."""
    if diff:
        print_diffs(comparisons)
        return
    if SETTINGS.quiet:
        if first:
            _lines(plan)
        return
    _choices(plan)
    _libraries(plan)
    _external(plan)
    _files(plan, comparisons)
    if first:
        _lines(plan)
    else:
        _changes(plan, comparisons)
    if plan.diagnostics:
        echo("")
    _diagnostics(plan)
    if first:
        say("\n", Styled("next:", bold=True))
        for step in next_steps(plan, here=Path.cwd(), in_git=is_checkout(plan.project.root)):
            print_command(step.text, step.reason)


def report_changes(root: Path, plan: Plan, comparisons: Sequence[Comparison], *, diff: bool) -> None:
    """Print the changes in one of several projects; with `-v` the whole report."""
    if diff:
        print_diffs(comparisons)
    elif SETTINGS.quiet:
        return
    elif SETTINGS.verbose:
        echo(Styled(f"{root}:", bold=True))
        report(plan, comparisons, diff=diff, first=False)
    else:
        _files(plan, comparisons, lead=f"{root}: ")
        _changes(plan, comparisons)
        _diagnostics(plan)


def report_total(states: Counter[str]) -> None:
    """Print how many projects were changed, were up to date, and failed."""
    if SETTINGS.quiet:
        return
    parts = ", ".join(f"{number} {state}" for state, number in states.items() if number)
    echo(f"{counted(states.total(), 'project')}: {parts}")


def is_changed(comparisons: Sequence[Comparison]) -> bool:
    """Return whether a file was not up to date."""
    return any(item.state is not State.FRESH for item in comparisons)


def print_diffs(comparisons: Sequence[Comparison]) -> None:
    """Print the differences of files, or that there are none."""
    for comparison in comparisons:
        echo(comparison.diff, nl=False)
    if not is_changed(comparisons):
        tell(f"no differences in {', '.join(str(item.path) for item in comparisons)}", err=True)


def _choices(plan: Plan) -> None:
    resolved = plan.resolved
    rows: list[tuple[str, ...]] = [("project", plan.project.source.name, wheel_counts(plan))]
    if plan.project.workspace:
        rows.append(("workspace", managers.relative(plan.project, plan.project.workspace), workspace_places(plan)))
    for name, value in (
        ("style", str(resolved.style)),
        ("manager", resolved.manager),
        ("python", resolved.python),
        ("nixpkgs", resolved.nixpkgs),
    ):
        rows.append((name, value, resolved.reasons.get(name, "")))
    if "features" in resolved.reasons:
        rows.append(("features", ", ".join(plan.project.settings.features), resolved.reasons["features"]))
    rows.append(("systems", "; ".join(filter(None, (", ".join(resolved.systems), resolved.reasons.get("systems"))))))
    for line in table(rows, indent=0):
        echo(line)


def _libraries(plan: Plan) -> None:
    supplied = plan.environment.supplied
    brief = len(supplied) > _ROWS and not SETTINGS.verbose
    rows = (
        [
            (item.soname, f"pkgs.{item.attribute}", shorten(item.needed_by, shown=_NAMES))
            for item in first_libraries(supplied, _ROWS)
        ]
        if brief
        else [(item.soname, str(item.expression), reason(item)) for item in supplied]
    )
    echo("")
    if not supplied:
        opens = "" if plan.environment.left_out else "; none opens one that nixpy could see"
        tell(f"no wheel links to a library of nixpkgs{opens}")
    for line in table(rows):
        echo(line)
    if brief:
        _more(len(supplied), counted(len(supplied), "library"))
    print_left_out(plan.environment.left_out)
    unopened = sorted({wheel.name for wheel in plan.nixpy_lock.wheels if wheel.guessed})
    if unopened:
        tell(
            f"{shorten(unopened)} {'was' if len(unopened) == 1 else 'were'} not opened and may use every library that "
            "the platform tag allows; run `nixpy sync` with a network to analyse the wheels"
        )
    echo("")


def _external(plan: Plan) -> None:
    """Print the packages of nixpkgs for [external] and for builds.

    Builds are those of packages without a wheel.
    """
    rows = list(dict.fromkeys((one.role, one.expression, one.reason) for one in plan.environment.build_inputs))
    shown = rows if SETTINGS.verbose else rows[:_ROWS]
    for line in table(shown):
        echo(line)
    if len(shown) < len(rows):
        _more(len(rows), f"{counted(len(rows), 'package')} for builds")
    if rows:
        echo("")


def _files(plan: Plan, comparisons: Sequence[Comparison], *, lead: str = "") -> None:
    root = plan.project.root
    written = [str(item.path.relative_to(root)) for item in comparisons if item.state is not State.FRESH]
    if written:
        tell(", ".join(written), lead=(lead, Styled("wrote ", fg="green")))
    else:
        names = [str(item.path.relative_to(root)) for item in comparisons]
        tell(f" ({', '.join(names)})", lead=(lead, Styled("up to date", fg="green")))


def _lines(plan: Plan) -> None:
    """Print what the user is to add to a flake.nix or shell.nix that was there before."""
    if plan.entry and plan.lines:
        say("")
        tell(f"{plan.entry.name} is yours, and nixpy does not change it; add these lines to it:", err=True)
        say("")
        echo(plan.lines, nl=False)


def _changes(plan: Plan, comparisons: Sequence[Comparison]) -> None:
    found = changes(plan, comparisons)
    shown = found if SETTINGS.verbose else found[:_ROWS]
    for one in shown:
        tell(one, lead="  ")
    if len(shown) < len(found):
        _more(len(found), counted(len(found), "change"))


def _more(number: int, items: str) -> None:
    """Print how many items of a list are not shown."""
    tell(f"and {number - _ROWS} more of {items}; -v lists all", lead="  ")


def _diagnostics(plan: Plan) -> None:
    shown, more = (plan.diagnostics, {}) if SETTINGS.verbose else first_diagnostics(plan.diagnostics, _DIAGNOSTICS)
    print_diagnostics(shown)
    levels = {diagnostic.code: diagnostic.level for diagnostic in shown}
    for code, number in more.items():
        print_message(levels[code], code, f"and {number} more; -v lists all")


def data(plan: Plan, comparisons: Sequence[Comparison], *, diff: bool) -> dict[str, Any]:
    """Return the report as JSON data, a member of `projects` in schemas/sync.json."""
    resolved = plan.resolved
    return {
        "folder": str(plan.project.root),
        "source": plan.project.source.name,
        "style": resolved.style,
        "manager": resolved.manager,
        "workspace": plan.project.workspace and managers.relative(plan.project, plan.project.workspace),
        "members": list(plan.project.members),
        "python": resolved.python,
        "nixpkgs": resolved.nixpkgs,
        "systems": list(resolved.systems),
        "reasons": dict(resolved.reasons),
        "libraries": [
            {"soname": item.soname, "expression": item.expression, "needed_by": list(item.needed_by)}
            for item in plan.environment.supplied
        ],
        "left_out": [
            {
                "soname": item.soname,
                "expression": item.expression,
                "needed_by": list(item.needed_by),
                "evidence": evidence_data(item),
            }
            for item in plan.environment.left_out
        ],
        "external": [
            {"role": one.role, "expression": one.expression, "reason": one.reason, "systems": list(one.systems)}
            for one in plan.environment.build_inputs
        ],
        "files": [
            {"path": str(item.path), "state": item.state.value, **({"diff": item.diff} if diff else {})}
            for item in comparisons
        ],
        "changes": list(changes(plan, comparisons)),
        "host": [
            {"need": need.title, "where": one.where, "setting": one.setting}
            for need in plan.environment.style.host
            for one in need.settings
        ],
        "lines": plan.lines,
        "problems": diagnostics_data(plan.diagnostics),
    }
