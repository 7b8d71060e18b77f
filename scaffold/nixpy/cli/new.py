"""`nixpy new`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from nixpy import new, styles
from nixpy.cli.common import format_option, print_json, python_option, say
from nixpy.errors import NixpyError


@click.command("new", short_help="Make a new project.")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--style", metavar="STYLE", help="How libraries reach Python; see `nixpy styles`.")
@click.option("--manager", metavar="MANAGER", help="What locks and installs: uv, pip, poetry, pdm or none.")
@python_option
@click.option("--data", "data", metavar="NAME=ANSWER", multiple=True, help="Another answer, such as ci=gitlab.")
@click.option("--defaults", is_flag=True, help="Ask nothing: what is not said is taken from the defaults.")
@format_option
def command(
    folder: Path,
    style: str | None,
    manager: str | None,
    python: str | None,
    data: tuple[str, ...],
    defaults: bool,
    form: str,
) -> None:
    """Make a new project in DIR, which is not there yet: a small package with a test, its lock, and its Nix files.

    What is not said is asked: name, description, style, python, manager, ci, licence, author. No network is used.
    `copier update` brings later versions of the template.
    """
    answers = dict(map(_pair, data))
    chosen = {"style": styles.find(style).name if style else None, "manager": manager, "python": python}
    answers |= {name: answer for name, answer in chosen.items() if answer}
    if not defaults and not sys.stdin.isatty():
        raise NixpyError("nobody is there to answer", hint="run it in a terminal, or with --defaults")
    files = new.create(folder, answers, ask=not defaults)
    if form == "json":
        print_json({"folder": str(folder), "files": [str(path.relative_to(folder)) for path in files]})
        return
    click.echo(f"wrote {', '.join(str(path.relative_to(folder)) for path in files)}")
    if not new.source():
        say(f"\nthis nixpy does not know where it is published: `copier update` wants `_src_path` in {new.ANSWERS}")
    say("\nnext:")
    if folder.resolve() != Path.cwd():
        say(f"  cd {shlex.quote(str(folder))}")
    say("  git init --quiet && git add .   # a flake sees only what git knows")
    say("  nix develop                     # or, with direnv: direnv allow")
    say("  python -m unittest discover tests")


def _pair(text: str) -> tuple[str, str]:
    name, equals, answer = text.partition("=")
    if not equals or not name:
        raise NixpyError(f"`{text}` is no answer", hint="write --data NAME=ANSWER, such as --data ci=gitlab")
    return name, answer
