"""Define the group of commands, and run the command line."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from nixpy import __version__
from nixpy.core.errors import ArgumentError, nearest
from nixpy.core.fault import Fault, as_error, described
from nixpy.core.limits import check_argument

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {  # with summaries, so that help and completion do not import the commands
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
_SIGPIPE = 141  # the exit status that shells report for a closed pipe: 128 plus the signal
_HELP = """Make Python wheels work on NixOS.

nixpy reads the wheels that your project uses and writes the Nix that supplies their libraries.

\b
nixpy init       analyse the project; write flake.nix, nixpy.nix and nixpy.lock
nix develop      enter the shell
nixpy sync       update the files after the dependencies changed
nixpy check      fail if they are out of date; for CI and pre-commit
"""


def _set(context: click.Context, option: click.Parameter, value: Any) -> None:
    """Keep the value of a global option, before the name of the command or after it."""
    from nixpy.cli.output import SETTINGS, colour, start_log

    if value:
        assert option.name is not None  # noqa: S101
        setattr(SETTINGS, option.name, value)
        if option.name == "verbose":
            start_log()
    if SETTINGS.quiet and SETTINGS.verbose:
        context.fail("--quiet and --verbose exclude each other")
    context.color = colour()


GLOBAL = tuple(
    click.Option(names, help=told, expose_value=False, is_eager=True, callback=_set, **more)
    for names, told, more in (
        (("-q", "--quiet"), "Print only errors and the answer.", {"is_flag": True}),
        (("-v", "--verbose"), "Print everything: whole lists, files, programs, times.", {"is_flag": True}),
        (
            ("--color",),
            "Use colour: auto (the default), always or never.",
            {"type": click.Choice(["auto", "always", "never"]), "metavar": "WHEN"},
        ),
    )
)


class _Context(click.Context):
    """The context of a command, with help that fits the terminal."""

    def make_formatter(self) -> click.HelpFormatter:
        from nixpy.cli.help import Formatter

        return Formatter(max_width=self.max_content_width)


class _Commands(click.Group):
    """Imports the module of a command when it is run, so that `check` starts fast."""

    context_class = _Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"nixpy.cli.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101
        command.context_class = _Context
        command.params = [*(one for one in command.params if one not in GLOBAL), *GLOBAL]
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
            logging.getLogger("nixpy").debug("finished")
            if sys.stdout is not None:  # closed by `>&-`
                sys.stdout.flush()
        except BrokenPipeError:
            # The reader closed the pipe (`nixpy scan | head`), which is neither an error nor a result.
            _forget_output()
            return _SIGPIPE
        except EOFError as error:  # which click treats as Ctrl-D, and so as an interruption
            raise Fault(error, command=f"nixpy {ctx.invoked_subcommand}") from error
        return status


@click.group(
    cls=_Commands,
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 success, 1 diagnostics (out of date, edited, not generated), 2 error, 130 interrupted.",
)
@click.version_option(__version__, "-V", "--version", message="nixpy %(version)s")
def group() -> None:
    """Run before every command."""


group.params = [*GLOBAL, *group.params]


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit with its status, which is 1 only for diagnostics."""
    try:
        status = _status(args)
        if sys.stdout is not None:  # closed by `>&-`
            sys.stdout.flush()
    except OSError as error:
        # The error cannot be printed either: the disk behind `2>` is full, or its reader closed the pipe.
        status = _SIGPIPE if isinstance(error, BrokenPipeError) else 2
        _forget_output()
    sys.exit(status)


def _status(args: list[str] | None) -> int:
    """Run the command line, print errors, and return the exit status."""
    from nixpy.cli.output import reset

    reset()
    try:
        for argument in sys.argv[1:] if args is None else args:
            check_argument(argument)
        status = group.main(args, prog_name="nixpy", standalone_mode=False)
    except click.exceptions.Abort:
        from nixpy.cli.output import echo

        echo("nixpy: interrupted; unfinished files were not written", err=True, always=True)
        return 130
    except click.ClickException as error:
        _show(error)
        return error.exit_code
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  (the last handler, for bugs)
        from nixpy.cli.common import fail

        fail(as_error(error, command=described(sys.argv[1:] if args is None else args, [*COMMANDS])))
        if isinstance(error, OSError):
            _forget_output()
        return 2
    return status if isinstance(status, int) else 0


def _show(error: click.ClickException) -> None:
    """Print an error in the command line like other errors.

    So it fits the terminal.
    """
    context = error.ctx if isinstance(error, click.UsageError) else None
    if isinstance(error, click.exceptions.NoArgsIsHelpError):  # which prints the help and is not an error
        error.show()
        return
    from nixpy.cli.common import fail

    fail(ArgumentError(error.format_message(), hint=f"See `{context.command_path if context else 'nixpy'} --help`."))


def _forget_output() -> None:
    """Drop unwritten output, so that Python's last flush does not fail on it again."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, AttributeError):  # a stream without a file has no unwritten output
            stream.flush()
            continue
        with contextlib.suppress(OSError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
