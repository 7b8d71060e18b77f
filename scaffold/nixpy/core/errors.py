"""Define the exceptions that users see: the problem, its place, and the remedy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_LONG = 2_000  # characters of a line


class NixpyError(Exception):
    """Input that nixpy cannot work with; the command line prints it and exits with 2.

    `message` names the problem and `hint` the remedy. `path` and `line` (1-based) are the place. nixpy cuts the middle
    out of each line of the message that is longer than 2,000 characters, since messages may quote other programs.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        path: Path | str | None = None,
        line: int | None = None,
    ) -> None:
        message = "\n".join(map(_shortened, message.split("\n")))
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.path = path
        self.line = line

    def __str__(self) -> str:
        where = "" if self.path is None else f"{self.path}:{self.line}: " if self.line else f"{self.path}: "
        return where + self.message


def _shortened(line: str) -> str:
    return line if len(line) <= _LONG else f"{line[: _LONG // 2]}…{line[-_LONG // 2 + 1 :]}"


class ProjectError(NixpyError):
    """A project that cannot be read.

    The cause is its pyproject.toml, its requirements files or its settings.
    """


class LockError(NixpyError):
    """A lock file that is invalid or lacks something that the project installs."""


class NetworkError(NixpyError):
    """A package index or server that is unreachable, refuses, or lacks a file."""


@contextmanager
def raised_as(kind: type[NixpyError]) -> Iterator[None]:
    """Raise a NixpyError from the block as `kind`.

    One that already is a subclass of NixpyError stays.
    """
    try:
        yield
    except NixpyError as error:
        if type(error) is not NixpyError:
            raise
        precise = kind(error.message, hint=error.hint, path=error.path, line=error.line)
        raise precise.with_traceback(error.__traceback__) from error.__cause__


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the most similar word of `known`, or None if none is similar to `word`."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), 1, cutoff)), None)
