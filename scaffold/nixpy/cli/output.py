"""The one place that prints. What others wrote is text here: no terminal and no CI runner obeys it.

GitHub's runner reads standard output and standard error. It obeys a line that begins with `::`, behind any blanks, and
`##[command]` anywhere in a line (actions/runner, ActionCommand.cs). `echo` prints neither; `command` alone does.
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
    """How much is printed, and whether in colour: what `-q`, `-v` and `--color` say, which every command has."""

    quiet: bool = False
    """Only errors and the answer of the command are printed."""
    verbose: bool = False
    """Lists are complete, and standard error says what was read and run."""
    color: Literal["auto", "always", "never"] = "auto"


SETTINGS = Settings()


def reset() -> None:
    """Forget the settings of a command that ran before in this process."""
    SETTINGS.quiet, SETTINGS.verbose, SETTINGS.color = False, False, "auto"
    _LOG.removeHandler(_HANDLER)
    _LOG.setLevel(logging.NOTSET)


def start_log() -> None:
    """Print what nixpy logs: the files that it reads, the programs that it runs, its requests, each with the time."""
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
    """Return True if colour is wanted everywhere, False if nowhere, else None: then terminals get it.

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
    """Return whether the terminal can only go on writing, as those that are read aloud."""
    return os.environ.get("TERM") in {"dumb", "unknown"}


def echo(*parts: Part, err: bool = False, nl: bool = True, always: bool = False) -> None:
    """Print the parts as one text, and a newline with `nl`; with `err` to standard error.

    Standard error has what accompanies the answer. With `--quiet` nothing of it is printed, unless `always`.
    """
    if err and SETTINGS.quiet and not always:
        return
    text = "".join(
        click.style(inert(part.text), fg=part.fg, bold=part.bold) if isinstance(part, Styled) else inert(part)
        for part in parts
    )
    click.echo(text, err=err, nl=nl, color=colour())


def inert(text: str) -> str:
    """Return `text` so that it is displayed and nothing else: visible characters, and no workflow commands."""
    return _LINE_COMMAND.sub(r"\1\\x3a", _inside(text))


def _inside(text: str) -> str:
    """Return `text` for a place inside a line, where GitHub's runner obeys `##[command]` alone."""
    return visible(text).replace("##[", "#\\x23[")


def print_document(data: Any) -> None:
    """Print JSON. Its strings hold what they held before; what a terminal or a runner obeys is escaped."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    click.echo(json_visible(text).replace("##[", "#\\u0023["))


def command(name: str, properties: Mapping[str, str], message: str) -> None:
    """Print one of GitHub's workflow commands."""
    given = ",".join(f"{key}={_data(_inside(value), ':,')}" for key, value in properties.items())
    click.echo(f"::{name} {given}::{_data(_inside(message))}")


@contextmanager
def stopped_commands() -> Iterator[None]:
    """Let GitHub's runner obey nothing that is printed inside; the token that ends this cannot be guessed."""
    token = secrets.token_hex(16)
    click.echo(f"::stop-commands::{token}")
    try:
        yield
    finally:
        click.echo(f"::{token}::")


def _data(value: str, more: str = "") -> str:
    """Return `value` as workflow commands write it: these characters as % and their code."""
    return "".join(f"%{ord(char):02X}" if char in "%\r\n" + more else char for char in value)
