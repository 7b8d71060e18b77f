"""`nixpy completion`."""

from __future__ import annotations

import click

_SHELLS = ("bash", "zsh", "fish")
_HELP = """Print the completion script for SHELL: bash, zsh or fish.

Add the line for your shell to its start-up file:

\b
~/.bashrc                   eval "$(nixpy completion bash)"
~/.zshrc, after compinit    eval "$(nixpy completion zsh)"
~/.config/fish/config.fish  nixpy completion fish | source
"""


@click.command("completion", help=_HELP)
@click.argument("shell", type=click.Choice(_SHELLS), metavar="SHELL")
def command(shell: str) -> None:
    """Print the script that click has for a shell."""
    from click.shell_completion import get_completion_class

    from nixpy.cli.main import group

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101  (click knows these three)
    script = kind(group, {}, "nixpy", "_NIXPY_COMPLETE").source()
    # click's script for fish splits each completion at every comma; only the first one ends its type.
    click.echo(script.replace('string split ","', 'string split --max 1 ","'))
