"""How text is laid out: by words on a terminal, one line a thing elsewhere, so that a program can read it."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

import click

_ROOM = 20  # a narrower last column is not worth having: what stands in it goes below
_PROSE = 100  # wider lines are hard to read


def colour() -> bool | None:
    """Return False where nobody wants colour, else None: then it is used on terminals."""
    return False if os.environ.get("NO_COLOR") or is_dumb() else None


def is_dumb() -> bool:
    """Tell whether the terminal can only go on writing, as those that are read aloud."""
    return os.environ.get("TERM") in {"dumb", "unknown"}


def columns(*, err: bool = False) -> int | None:
    """Return the width of the terminal that is written to, None where it is none."""
    stream = sys.stderr if err else sys.stdout
    try:
        if not stream.isatty():
            return None
        return int(os.environ.get("COLUMNS") or 0) or os.get_terminal_size(stream.fileno()).columns or None
    except (AttributeError, ValueError, OSError):  # closed by `>&-`; no number; no size
        return None


def tell(text: str, *, lead: str = "", err: bool = False) -> None:
    """Print a sentence; on a terminal it is broken between words and goes on below where it began, behind `lead`."""
    width = columns(err=err)
    lines = _broken(text, width and min(width, _PROSE), len(click.unstyle(lead)))
    click.echo("\n".join((lead + lines[0], *lines[1:])), err=err, color=colour())


def command(text: str, comment: str = "") -> None:
    """Print a command to go on with, which can be copied whatever the width is, and why it is wanted."""
    line = f"  {text}   # {comment}"
    if not comment:
        click.echo(f"  {text}", err=True)
    elif len(line) <= (columns(err=True) or len(line)):
        click.echo(line, err=True)
    else:
        tell(comment, lead="  # ", err=True)
        click.echo(f"  {text}", err=True)


def table(rows: Sequence[Sequence[str]], indent: int = 2) -> Iterator[str]:
    """Yield the rows as lines with aligned columns; the last cell of a row may be of any length.

    Where a terminal leaves no room for the last column, it goes below, a little behind the second one.
    """
    width = columns()
    sizes = [max(map(len, cells)) + 2 for cells in zip_longest(*(row[:-1] for row in rows), fillvalue="")]
    room = None if width is None else width - indent - sum(sizes)
    below = room is not None and room < min(_ROOM, max((len(row[-1]) for row in rows), default=0))
    for *cells, last in rows:
        while below and len(cells) > 1 and not cells[-1]:
            cells.pop()
        lead = " " * indent + "".join(cell.ljust(size) for cell, size in zip(cells, sizes, strict=False))
        if below and len(cells) == len(sizes):
            yield lead.rstrip()
            lead = " " * (indent + 2 + (sizes[0] if len(sizes) > 1 else 0))
        first, *more = _broken(last, width, len(lead))
        yield from ((lead + first).rstrip(), *more)


def _broken(text: str, width: int | None, indent: int) -> list[str]:
    """Return the text in lines that fit between `indent` and `width`, all but the first one indented."""
    if width is None:
        return [text]
    room = max(width - indent, _ROOM)
    lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
    return [lines[0], *(" " * indent + line for line in lines[1:])]
