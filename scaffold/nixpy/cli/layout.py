"""Lay out text: wrapped on a terminal, one line per item elsewhere.

So programs can read the output.
"""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

from nixpy.cli.output import Part, Styled, echo
from nixpy.core.errors import in_one_line
from nixpy.core.text import visible, visible_line

_ROOM = 20  # columns; a narrower last column goes below the others
PROSE = 100  # wider lines are hard to read


def columns(*, err: bool = False) -> int | None:
    """Return the width of the terminal, or None if the output is not a terminal."""
    stream = sys.stderr if err else sys.stdout
    try:
        if not stream.isatty():
            return None
        return int(os.environ.get("COLUMNS") or 0) or os.get_terminal_size(stream.fileno()).columns or None
    except (AttributeError, ValueError, OSError):  # closed by `>&-`; no number; no size
        return None


def tell(text: str, *, lead: Part | Sequence[Part] = "", err: bool = False, always: bool = False) -> None:
    """Print a sentence after `lead`.

    On a terminal it is wrapped between words, and its lines are aligned. A newline in the text or in `lead`, which may
    come from a file of others, is printed as an escape.

    If `lead` leaves too little room, it is wrapped, too, and the sentence continues with a small indent.
    """
    text = in_one_line(text)
    parts = tuple(map(_in_one_line, (lead,) if isinstance(lead, str | Styled) else lead))
    width, plain = columns(err=err), visible("".join(map(str, parts)))
    told = plain + visible(text)
    if width is not None:
        width = min(width, PROSE)
        told = "\n".join(_wrapped(told, width, len(plain) if width - len(plain) >= _ROOM else 2))
    if told.startswith(plain):
        echo(*parts, told[len(plain) :], err=err, always=always)
    else:
        echo(told, err=err, always=always)


def _in_one_line(part: Part) -> Part:
    return replace(part, text=in_one_line(part.text)) if isinstance(part, Styled) else in_one_line(part)


def print_command(text: str, comment: str = "") -> None:
    """Print a command in one line, with its purpose as a comment.

    It is never wrapped, so that it can be copied.
    """
    line = f"  {text}   # {comment}"
    if not comment:
        echo(f"  {text}", err=True)
    elif len(line) <= (columns(err=True) or len(line)):
        echo(line, err=True)
    else:
        tell(comment, lead="  # ", err=True)
        echo(f"  {text}", err=True)


def table(rows: Sequence[Sequence[str]], indent: int = 2) -> Iterator[str]:
    """Yield the rows as lines with aligned columns that fit the terminal.

    See `aligned`.
    """
    return aligned(rows, indent, columns())


def aligned(rows: Sequence[Sequence[str]], indent: int, width: int | None) -> Iterator[str]:
    """Yield the rows as lines with aligned columns.

    The last cell of a row may be of any length.

    If `width` leaves no room for the last column, the column goes below, indented more than the second one. If there is
    no room for that either, each cell has its own lines, indented more than the cell before it.
    """
    rows = [[visible_line(cell) for cell in row] for row in rows]
    sizes = [max(map(len, cells)) + 2 for cells in zip_longest(*(row[:-1] for row in rows), fillvalue="")]
    end = indent + sum(sizes)
    inner = indent + 2 + (sizes[0] if len(sizes) > 1 else 0)
    below = stacked = False
    if width is not None:
        wanted = _wanted([row[-1] for row in rows], width - indent - 2 * len(sizes))
        below = width - end < wanted
        stacked = below and (end - 2 > width or width - inner < wanted)
    for *cells, last in rows:
        if stacked:
            yield from _stacked((*cells, last), indent, width)
            continue
        while below and len(cells) > 1 and not cells[-1]:
            cells.pop()
        lead = " " * indent + "".join(cell.ljust(size) for cell, size in zip(cells, sizes, strict=False))
        if below and len(cells) == len(sizes):
            yield lead.rstrip()
            if not last:
                continue
            lead = " " * inner
        first, *more = broken(last, width, len(lead))
        yield from ((lead + first).rstrip(), *more)


def _wanted(cells: Sequence[str], most: int) -> int:
    """Return the width that the last column needs, but at most `most`.

    It is the width of the longest word.
    """
    words = (len(word) for cell in cells for word in cell.split())
    return max(min(_ROOM, max(map(len, cells), default=0)), *(size for size in words if size <= most), 0)


def _stacked(cells: Sequence[str], indent: int, width: int | None) -> Iterator[str]:
    for depth, cell in enumerate(cells):
        if cell:
            lead = " " * (indent + 2 * depth)
            first, *more = broken(cell, width, len(lead))
            yield from (lead + first, *more)


def broken(text: str, width: int | None, indent: int) -> list[str]:
    """Return the text in lines that fit between `indent` and `width`.

    All but the first one are indented.
    """
    if width is None:
        return [text]
    first, *more = _wrapped(text, width - indent) or [""]
    return [first, *(" " * indent + line for line in more)]


def _wrapped(text: str, width: int, hang: int = 0) -> list[str]:
    """Return the text in lines, all but the first one indented.

    A word that is longer than a line is not cut.
    """
    return textwrap.wrap(
        text, max(width, 1), subsequent_indent=" " * hang, break_long_words=False, break_on_hyphens=False
    )
