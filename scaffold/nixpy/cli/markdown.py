"""Escape untrusted text for GitHub Flavored Markdown (CommonMark 0.31).

The result has no links, HTML or fences.
"""

from __future__ import annotations

import re

from nixpy.core.text import visible, visible_line

_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_MARKUP = re.compile(r"[\\`*\[\]<>&~|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_BLOCK = re.compile(r"\A([#+=-]|\d+(?=[.)]))")
_LEAST_FENCE = 4


def sentence(text: str) -> str:
    """Return a message of nixpy for a table cell or a list item, in one line.

    Only code spans are markup.
    """
    text = " ".join(visible(text).split())
    parts = []
    at = 0
    for span in _SPAN.finditer(text):
        parts += [_plain(text[at : span.start()]), "`", span[1].replace("|", "\\|"), "`"]
        at = span.end()
    return _BLOCK.sub(_escaped_start, "".join((*parts, _plain(text[at:]))))


def code(text: str) -> str:
    """Return `text` as a code span, whatever backticks it has."""
    text = visible_line(text)
    fence = "`" * (_longest_run(text) + 1)
    blank = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{blank}{text}{blank}{fence}"


def block(text: str, language: str) -> str:
    """Return `text` as a fenced block.

    The fence is longer than any run of backticks in it.
    """
    text = visible(text)
    fence = "`" * max(_longest_run(text) + 1, _LEAST_FENCE)
    return f"{fence}{language}\n{text}\n{fence}"


def html(text: str) -> str:
    """Return `text` for an HTML element in one line."""
    return re.sub("[<>&]", lambda match: _ENTITIES[match[0]], visible_line(text))


def _plain(text: str) -> str:
    return _MARKUP.sub(lambda match: _ENTITIES.get(match[0], "\\" + match[0]), text)


def _escaped_start(match: re.Match[str]) -> str:
    return match[0] + "\\" if match[0].isdigit() else "\\" + match[0]


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
