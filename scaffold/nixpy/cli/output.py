"""Print all output, with untrusted text escaped.

Terminals and CI runners do not execute it then.

GitHub's runner reads standard output and standard error. It executes a line that begins with `::`, after any blanks,
and `##[command]` anywhere in a line (actions/runner, ActionCommand.cs). `echo` prints neither; only `command` does.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import click

from nixpy.core.text import json_visible, visible

_LINE_COMMAND = re.compile(r"^([^\S\n]*):(?=:)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Styled:
    """A text with a colour or in bold, on terminals that have both."""

    text: str
    fg: str | None = None
    bold: bool | None = None

    def __str__(self) -> str:
        return self.text


Part = str | Styled


@dataclass(slots=True)
class Settings:
    """The options `-q`, `-v` and `--color`, which every command has."""

    quiet: bool = False
    """Only errors and the answer of the command are printed."""
    verbose: bool = False
    """Lists are complete, and standard error shows the files read and the programs run."""
    color: Literal["auto", "always", "never"] = "auto"


SETTINGS = Settings()


def reset() -> None:
    """Forget the settings of a command that ran before in this process."""
    SETTINGS.quiet, SETTINGS.verbose, SETTINGS.color = False, False, "auto"
    _LOG.removeHandler(_HANDLER)
    _LOG.setLevel(logging.NOTSET)


def start_log() -> None:
    """Print the log of nixpy, each line with the time.

    It has the files that nixpy reads, the programs that it runs, and its requests.
    """
    _HANDLER.start = time.time()
    _LOG.addHandler(_HANDLER)
    _LOG.setLevel(logging.DEBUG)


class _Handler(logging.Handler):
    """Prints `debug: SECONDS: text` to standard error."""

    start = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        echo(f"debug: {record.created - self.start:.3f} s: {record.getMessage()}", err=True)


_LOG = logging.getLogger("nixpy")
_HANDLER = _Handler()


def colour() -> bool | None:
    """Return True for colour everywhere, False for none, None for terminals only.

    `--color` decides, then NO_COLOR (no-color.org), then FORCE_COLOR and CLICOLOR_FORCE (bixense.com/clicolors).
    """
    if SETTINGS.color != "auto":
        return SETTINGS.color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") not in {"", "0"}:
        return True
    return False if _is_dumb() else None


def _is_dumb() -> bool:
    """Return whether the terminal can only append text, as with screen readers."""
    return os.environ.get("TERM") in {"dumb", "unknown"}


def echo(*parts: Part, err: bool = False, nl: bool = True, always: bool = False) -> None:
    """Print the parts as one text, and a newline with `nl`.

    With `err`, print to standard error, which has what accompanies the answer. With `--quiet` nothing is printed there,
    unless `always`.
    """
    if err and SETTINGS.quiet and not always:
        return
    text = "".join(
        click.style(inert(part.text), fg=part.fg, bold=part.bold) if isinstance(part, Styled) else inert(part)
        for part in parts
    )
    click.echo(text, err=err, nl=nl, color=colour())


def inert(text: str) -> str:
    """Return `text` with visible characters only, and without workflow commands."""
    return _LINE_COMMAND.sub(r"\1\\x3a", _inside(text))


def _inside(text: str) -> str:
    """Return `text` for a place inside a line.

    There GitHub's runner executes only `##[command]`.
    """
    return visible(text).replace("##[", "#\\x23[")


def print_document(data: Any) -> None:
    """Print JSON.

    Control characters and workflow commands in strings become JSON escapes with the same value.
    """
    text = json.dumps(data, indent=2, ensure_ascii=False)
    click.echo(json_visible(text).replace("##[", "#\\u0023["))


def command(name: str, properties: Mapping[str, str], message: str) -> None:
    """Print one of GitHub's workflow commands."""
    given = ",".join(f"{key}={_data(_inside(value), ':,')}" for key, value in properties.items())
    click.echo(f"::{name} {given}::{_data(_inside(message))}")


@contextmanager
def stopped_commands() -> Iterator[None]:
    """Stop workflow commands in GitHub's runner while the block runs.

    The token that ends this cannot be guessed.
    """
    token = secrets.token_hex(16)
    click.echo(f"::stop-commands::{token}")
    try:
        yield
    finally:
        click.echo(f"::{token}::")


def _data(value: str, more: str = "") -> str:
    """Return `value` as workflow commands write it.

    Some characters become % and their code.
    """
    return "".join(f"%{ord(char):02X}" if char in "%\r\n" + more else char for char in value)
