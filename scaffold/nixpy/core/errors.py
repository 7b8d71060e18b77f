"""The one exception a user meets: what is wrong, where, and the way out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class NixpyError(Exception):
    """Input that nixpy cannot work with; the command line prints it and exits with 2.

    `message` says what is wrong, `hint` what to do about it, `path` and `line` where (1-based line).
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        path: Path | str | None = None,
        line: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.path = path
        self.line = line

    def __str__(self) -> str:
        where = "" if self.path is None else f"{self.path}:{self.line}: " if self.line else f"{self.path}: "
        return where + self.message


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the one of `known` that `word` may have been meant for, None where none is like it."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), 1, cutoff)), None)
