"""Jinja templates, compiled once for a process instead of once for each run of copier.

copier makes an environment for every run and compiles each question, default and template anew, which is most of its
time. What is compiled depends on the text and on the options of the environment alone.
"""

from __future__ import annotations

from types import CodeType
from typing import Any

import pytest
from jinja2 import Environment

# The options that decide how a text is parsed and what code it becomes.
_OPTIONS = (
    *("block_start_string", "block_end_string", "variable_start_string", "variable_end_string"),
    *("comment_start_string", "comment_end_string", "line_statement_prefix", "line_comment_prefix"),
    *("trim_blocks", "lstrip_blocks", "newline_sequence", "keep_trailing_newline", "optimized", "autoescape"),
)


def keep_compiled(patch: pytest.MonkeyPatch) -> None:
    """Let every environment of this process take the code of a template that an equal one compiled before."""
    compile_ = Environment.compile
    known: dict[Any, CodeType | str] = {}

    def kept(self: Environment, source: Any, name: Any = None, filename: Any = None, *rest: Any, **more: Any) -> Any:
        if not isinstance(source, str) or rest or more:
            return compile_(self, source, name, filename, *rest, **more)
        options = (type(self), *(getattr(self, option) for option in _OPTIONS), *sorted(self.extensions))
        key = (options, source, name, filename, frozenset(self.filters), frozenset(self.tests))
        if key not in known:
            known[key] = compile_(self, source, name, filename)
        else:
            # copier forgets the `yield` tag of one path here, before it renders the next.
            self.preprocess(source, name, filename)
        return known[key]

    patch.setattr(Environment, "compile", kept)
