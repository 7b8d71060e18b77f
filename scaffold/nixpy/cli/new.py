"""`nixpy new`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from nixpy.cli.common import format_option, print_json, python_option, say
from nixpy.cli.layout import print_command, tell
from nixpy.cli.output import SETTINGS, Styled
from nixpy.commands import new
from nixpy.core.errors import ArgumentError
from nixpy.core.git import is_checkout
from nixpy.core.text import shell_word
from nixpy.styles import styles


@click.command("new")
@click.argument("folder", type=click.Path(), metavar="DIR")
@click.option("--style", metavar="STYLE", help="How Python finds the libraries; see `nixpy styles`.")
@click.option("--manager", metavar="MANAGER", help="Program that locks and installs: uv, pip, poetry, pdm or none.")
@python_option
@click.option(
    "--data", "data", metavar="NAME=ANSWER", multiple=True, help="Answer to another question, such as ci=gitlab."
)
@click.option("--defaults", is_flag=True, help="Do not ask; use the defaults for everything else.")
@format_option
def command(
    folder: str,
    style: str | None,
    manager: str | None,
    python: str | None,
    data: tuple[str, ...],
    defaults: bool,
    form: str,
) -> None:
    """Create a new project in DIR, which must not exist: a small package with a test, its lock and its Nix files.

    nixpy asks you for what you leave out: name, description, style, python, manager, ci, licence, author, nixpy. With a
    screen reader or in a script, use --defaults and --data. nixpy uses no network. Later, `copier update` updates
    the project to the next version of the template.
    """
    if not folder:
        raise ArgumentError("the folder is missing", hint="Name the folder of the new project; `.` is the current one.")
    chosen = {"style": styles.find(style).name if style else None, "manager": manager, "python": python}
    answers = dict(map(_pair, data))
    for name, answer in chosen.items():
        if answer and answers.setdefault(name, answer) != answer:
            raise ArgumentError(
                f"`--{name} {answer}` and `--data {name}={answers[name]}` contradict each other",
                hint="Leave one of them out.",
            )
    if not defaults and not sys.stdin.isatty():
        raise ArgumentError(
            "there is no terminal to ask questions on", hint="Run it in a terminal, or use --defaults and --data."
        )
    root = Path(folder)
    made = new.create(root, answers, ask=not defaults)
    files = [str(path.relative_to(root)) for path in made.files]
    if form == "json":
        print_json({"folder": str(root), "files": files})
        return
    if not SETTINGS.quiet:
        tell(", ".join(files), lead=Styled("wrote ", fg="green"))
    if not made.nixpy:
        say("")
        tell(
            "nixpy does not know the address that it is published at, so CI and pre-commit do not check "
            "nixpy.nix, and `copier update` finds no template; to change this, create the project again "
            "with:",
            err=True,
        )
        print_command("--data nixpy=git+https://HOST/nixpy@COMMIT")
    _next(root)


def _next(root: Path) -> None:
    say("\n", Styled("next:", bold=True))
    if root.resolve() != Path.cwd():
        print_command(f"cd {shell_word(str(root))}")
    if not is_checkout(root):
        print_command("git init --quiet -b main")
    print_command("git add .", "a flake sees only files that git tracks")
    print_command("nix develop", "or, with direnv: direnv allow")
    print_command("python -m unittest discover tests")
    print_command("git add flake.lock", "nix develop creates it; it pins nixpkgs")


def _pair(text: str) -> tuple[str, str]:
    name, equals, answer = text.partition("=")
    if not equals or not name:
        raise ArgumentError(f"`{text}` is not an answer", hint="Write --data NAME=ANSWER, such as --data ci=gitlab.")
    return name, answer
