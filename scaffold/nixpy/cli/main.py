"""The command line: one small module a command, and no logic."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from nixpy import __version__
from nixpy.core.errors import NixpyError, nearest
from nixpy.core.fault import Fault, as_error, described
from nixpy.core.limits import check_argument

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {  # in short, so that neither help nor the tab key loads what they do
    "new": "Create a new project.",
    "init": "Analyse a project and write its Nix files.",
    "sync": "Update the generated files.",
    "check": "Check that the generated files are up to date.",
    "scan": "Show which libraries wheels need, and what supplies them.",
    "doctor": "Explain what is wrong on this machine, and how to fix it.",
    "patch": "Patch installed wheels (style patched-venv).",
    "package": "Write a Nix file for a package that nixpkgs lacks.",
    "styles": "List the styles and features, or describe one style.",
    "completion": "Print a shell completion script.",
}
_SIGPIPE = 141  # what a shell reports of a program whose reader went away: 128 and the signal
_HELP = """Make Python wheels work on NixOS.

nixpy reads the wheels that your project uses and writes the Nix that supplies their libraries.

\b
nixpy init       analyse the project; write flake.nix, nixpy.nix and nixpy.lock
nix develop      enter the shell
nixpy sync       update the files after the dependencies changed
nixpy check      fail if they are out of date; for CI and pre-commit
"""


class _Context(click.Context):
    """What a command runs in, with help that fits the terminal."""

    def make_formatter(self) -> click.HelpFormatter:
        from nixpy.cli.help import Formatter

        return Formatter(max_width=self.max_content_width)


class _Commands(click.Group):
    """Imports a command's module when it is asked for, so that `check` starts as fast as it can."""

    context_class = _Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"nixpy.cli.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101
        command.context_class = _Context
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=told) for name, told in COMMANDS.items() if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and (near := nearest(args[0], COMMANDS)):
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{near}'?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            status = super().invoke(ctx)
            if sys.stdout is not None:  # closed by `>&-`
                sys.stdout.flush()
        except BrokenPipeError:
            # The reader went away (`nixpy scan | head`): that is its good right, but no verdict of ours.
            _forget_output()
            return _SIGPIPE
        except EOFError as error:  # which click takes for Ctrl-D, and so for an interruption
            raise Fault(error, command=f"nixpy {ctx.invoked_subcommand}") from error
        return status


@click.group(
    cls=_Commands,
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 success, 1 diagnostics (a file out of date, edited or missing), 2 error, 130 interrupted.",
)
@click.version_option(__version__, "-V", "--version", message="nixpy %(version)s")
@click.pass_context
def group(ctx: click.Context) -> None:
    """Run before every command."""
    from nixpy.cli.output import colour

    ctx.color = colour()


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit with its status, which is 1 for findings and for nothing else."""
    try:
        status = _status(args)
        if sys.stdout is not None:  # closed by `>&-`
            sys.stdout.flush()
    except OSError as error:
        # Not even an error can be told, as a full disk or a reader that went away is behind `2>`.
        status = _SIGPIPE if isinstance(error, BrokenPipeError) else 2
        _forget_output()
    sys.exit(status)


def _status(args: list[str] | None) -> int:
    """Run the command line, tell of errors, and return the exit status."""
    try:
        for argument in sys.argv[1:] if args is None else args:
            check_argument(argument)
        status = group.main(args, prog_name="nixpy", standalone_mode=False)
    except click.exceptions.Abort:
        from nixpy.cli.output import echo

        echo("nixpy: interrupted; unfinished files were not written", err=True)
        return 130
    except click.ClickException as error:
        _show(error)
        return error.exit_code
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  (the last handler: all that no module foresaw)
        from nixpy.cli.common import fail

        fail(as_error(error, command=described(sys.argv[1:] if args is None else args, [*COMMANDS])))
        if isinstance(error, OSError):
            _forget_output()
        return 2
    return status if isinstance(status, int) else 0


def _show(error: click.ClickException) -> None:
    """Tell what is wrong with the command line as other errors are told, which fits the terminal."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if isinstance(error, click.exceptions.NoArgsIsHelpError):  # which is no error but the help
        error.show()
        return
    from nixpy.cli.common import fail

    fail(NixpyError(error.format_message(), hint=f"See `{context.command_path if context else 'nixpy'} --help`."))


def _forget_output() -> None:
    """Drop what is not written yet, or Python's last flush fails on it again."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, AttributeError):  # a stream that is no file has nothing left behind
            stream.flush()
            continue
        with contextlib.suppress(OSError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
