"""`nixpy completion`."""

from __future__ import annotations

import click

_SHELLS = ("bash", "zsh", "fish")
_HELP = """Print what lets SHELL (bash, zsh or fish) complete commands, options and their values.

\b
bash  eval "$(nixpy completion bash)"    in ~/.bashrc
zsh   eval "$(nixpy completion zsh)"     in ~/.zshrc, behind compinit
fish  nixpy completion fish | source     in ~/.config/fish/config.fish
"""


@click.command("completion", help=_HELP, short_help="Print what lets a shell complete nixpy's words.")
@click.argument("shell", type=click.Choice(_SHELLS), metavar="SHELL")
def command(shell: str) -> None:
    """Print the script that click has for a shell."""
    from click.shell_completion import get_completion_class

    from nixpy.cli import group

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101  (click knows these three)
    click.echo(kind(group, {}, "nixpy", "_NIXPY_COMPLETE").source())
