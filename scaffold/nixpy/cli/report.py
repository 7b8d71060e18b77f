"""How `init` and `sync` tell what they found and did."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nixpy.cli.common import diagnostics_data, in_repository, print_diagnostics, say
from nixpy.cli.layout import print_command, table, tell
from nixpy.cli.output import Styled, echo
from nixpy.commands.plan import Plan
from nixpy.core.text import shell_word
from nixpy.diagnostics.diagnostic import counted, shorten
from nixpy.files.reconcile import Comparison, State
from nixpy.styles import styles


def report(plan: Plan, comparisons: Sequence[Comparison], *, diff: bool, first: bool) -> None:
    """Print what was chosen, which libraries the wheels need, what was written, and what comes next."""
    if diff:
        for comparison in comparisons:
            echo(comparison.diff, nl=False)
        return
    _choices(plan)
    _libraries(plan)
    _external(plan)
    _files(plan, comparisons)
    if plan.diagnostics:
        echo("")
    print_diagnostics(plan.diagnostics)
    if first:
        _next(plan, comparisons)


def _choices(plan: Plan) -> None:
    resolved = plan.resolved
    project = plan.project
    wheels = counted(len({wheel.name for wheel in plan.wheels}), "wheel")
    rows: list[tuple[str, ...]] = [("project", project.source.name, wheels)]
    for name, value in (
        ("style", str(resolved.style)),
        ("manager", resolved.manager),
        ("python", resolved.python),
        ("nixpkgs", resolved.nixpkgs),
    ):
        rows.append((name, value, resolved.reasons.get(name, "")))
    rows.append(("systems", ", ".join(resolved.systems)))
    for line in table(rows, indent=0):
        echo(line)


def _libraries(plan: Plan) -> None:
    supplied = plan.environment.supplied
    echo("")
    if not supplied:
        tell("no wheel needs a library from nixpkgs")
    for line in table([(item.soname, str(item.expression), shorten(item.needed_by)) for item in supplied]):
        echo(line)
    unopened = sorted({wheel.name for wheel in plan.nixpy_lock.wheels if wheel.guessed})
    if unopened:
        tell(
            f"{shorten(unopened)} {'was' if len(unopened) == 1 else 'were'} not opened and may use every library that "
            "the platform tag allows; run `nixpy sync` with a network to analyse the wheels"
        )
    echo("")


def _external(plan: Plan) -> None:
    """Print which packages of nixpkgs are there for [external], and to build what has no wheel."""
    rows = list(dict.fromkeys((one.role, one.expression, one.reason) for one in plan.environment.build_inputs))
    for line in table(rows):
        echo(line)
    if rows:
        echo("")


def _files(plan: Plan, comparisons: Sequence[Comparison]) -> None:
    root = plan.project.root
    written = [str(item.path.relative_to(root)) for item in comparisons if item.state is not State.FRESH]
    if written:
        tell(", ".join(written), lead=Styled("wrote ", fg="green"))
    else:
        echo("all files are up to date")
    if plan.entry and plan.lines:
        say("")
        tell(f"{plan.entry.name} is yours, and nixpy does not change it; add these lines to it:", err=True)
        say("")
        echo(plan.lines)


def _next(plan: Plan, comparisons: Sequence[Comparison]) -> None:
    root = plan.project.root
    say("\n", Styled("next:", bold=True))
    in_git = in_repository(root)
    if root.resolve() != Path.cwd():
        print_command(f"cd {shell_word(str(root))}")
    flake = plan.entry == plan.project.flake
    if flake and in_git:
        names = " ".join(str(item.path.relative_to(root)) for item in comparisons)
        print_command(f"git add -N {names}", "a flake sees only files that git tracks")
    ignore = root / ".gitignore"
    style = styles.find(str(plan.resolved.style))
    folder = style.folder
    if folder and in_git and (not ignore.is_file() or folder not in ignore.read_text("utf-8", "replace")):
        print_command(f"echo {folder}/ >> .gitignore", "or each evaluation copies it into the Nix store")
    enter = "nix develop" if flake else "nix-shell"
    if (root / ".envrc").is_file():
        print_command("direnv allow", f"or {enter}")
    else:
        print_command(enter)
    if plan.environment.own_package:
        print_command("nix build" if flake else "nix-build", "build the project itself, as `result`")


def data(plan: Plan, comparisons: Sequence[Comparison], *, diff: bool) -> dict[str, Any]:
    """Return the same for JSON, a member of `projects` as schemas/sync.json describes it."""
    resolved = plan.resolved
    return {
        "folder": str(plan.project.root),
        "source": plan.project.source.name,
        "style": resolved.style,
        "manager": resolved.manager,
        "python": resolved.python,
        "nixpkgs": resolved.nixpkgs,
        "systems": list(resolved.systems),
        "reasons": dict(resolved.reasons),
        "libraries": [
            {"soname": item.soname, "expression": item.expression, "needed_by": list(item.needed_by)}
            for item in plan.environment.supplied
        ],
        "external": [
            {"role": one.role, "expression": one.expression, "reason": one.reason, "systems": list(one.systems)}
            for one in plan.environment.build_inputs
        ],
        "files": [
            {"path": str(item.path), "state": item.state.value, **({"diff": item.diff} if diff else {})}
            for item in comparisons
        ],
        "lines": plan.lines,
        "problems": diagnostics_data(plan.diagnostics),
    }
