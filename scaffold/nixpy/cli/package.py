"""`nixpy package`."""

from __future__ import annotations

from pathlib import Path

import click

from nixpy.cli.common import (
    diagnostics_data,
    format_option,
    print_diagnostics,
    print_json,
    python_option,
    say,
)
from nixpy.cli.layout import tell
from nixpy.cli.output import echo
from nixpy.files.render import render
from nixpy.package import entries
from nixpy.package.recipe import Recipe
from nixpy.package.write import describe, place, write


@click.command("package")
@click.argument("package", metavar="NAME[==VERSION]")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write to FILE instead of standard output. With --nixpkgs, FILE is your checkout of nixpkgs.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.option(
    "--nixpkgs",
    is_flag=True,
    help="Write it as nixpkgs asks of contributors, with the line for its list of Python packages.",
)
@click.option(
    "--application", is_flag=True, help="Use buildPythonApplication: for programs, not for modules that others import."
)
@python_option
@click.option("--offline", is_flag=True, help="Use no network; the files must be on this machine.")
@format_option
def command(
    package: str,
    output: Path | None,
    force: bool,
    nixpkgs: bool,
    application: bool,
    python: str | None,
    offline: bool,
    form: str,
) -> None:
    """Write a Nix file with buildPythonPackage for a package that nixpkgs lacks, and show how to use it.

    nixpy reads build system, dependencies, licence and hash from the source distribution on the index, or from the
    wheel if there is none. It runs no code of the package.
    """
    found = describe(package, root=Path(), python=python, offline=offline, application=application)
    text = render("package/default.nix.jinja", entries.values(found, nixpkgs=nixpkgs))
    path = output and place(found, output, nixpkgs=nixpkgs)
    if path:
        write(path, text, force=force, tree=output if nixpkgs else None)
    use = found.line() if nixpkgs else found.use(f"./{path.name if path else f'{found.name}.nix'}")
    if form == "json":
        print_json(
            {
                "name": found.name,
                "version": found.release.metadata.version,
                "source": {"filename": found.release.filename, "sha256": found.release.sha256},
                "python": found.python,
                "path": str(path) if path else found.place if nixpkgs else None,
                "written": path is not None,
                "text": text,
                "use": use,
                "problems": diagnostics_data(found.diagnostics),
            }
        )
        return
    if path:
        tell(str(path), lead="wrote ", err=True)
    else:
        echo(text, nl=False)
    _tell(found, use, nixpkgs=nixpkgs)


def _tell(found: Recipe, use: str | None, *, nixpkgs: bool) -> None:
    print_diagnostics(found.diagnostics, err=True)
    if use is None:
        say("")
        tell(f"the file is {found.place}; nixpkgs needs no other change", err=True)
        return
    say("")
    if nixpkgs:
        before, behind = found.neighbours()
        between = " and ".join(name for name in (before, behind) if name)
        tell(f"the file is {found.place}; add to pkgs/top-level/python-packages.nix, between {between}:", err=True)
    else:
        tell("to use it, add this to a `let` of your Nix code:", err=True)
    say(f"\n{use}")
