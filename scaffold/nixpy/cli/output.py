"""Print all output, with untrusted text escaped.

Terminals and CI runners do not execute it then.

GitHub's runner reads standard output and standard error. It executes a line that begins with `::`, after any blanks,
and `##[command]` anywhere in a line (actions/runner, ActionCommand.cs). `echo` prints neither; only `command` does.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

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


def colour() -> bool | None:
    """Return False if colour is switched off, else None: then terminals get it."""
    return False if os.environ.get("NO_COLOR") or _is_dumb() else None


def _is_dumb() -> bool:
    """Return whether the terminal can only append text, as with screen readers."""
    return os.environ.get("TERM") in {"dumb", "unknown"}


def echo(*parts: Part, err: bool = False, nl: bool = True) -> None:
    """Print the parts as one text, and a newline with `nl`.

    With `err` to standard error.
    """
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
