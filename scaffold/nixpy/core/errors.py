"""The one exception that a user meets: what is wrong, where, and the way out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_LONG = 2_000  # characters of a line


class NixpyError(Exception):
    """Input that nixpy cannot work with; the command line prints it and exits with 2.

    `message` says what is wrong, `hint` what to do about it, `path` and `line` where (1-based line). `details` are
    lines below the message, such as those of uv. A newline in the message, which is in a text of others, is written as
    an escape: else an error of its own could follow. A line that is longer than 2,000 characters lacks its middle.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        path: Path | str | None = None,
        line: int | None = None,
        details: str = "",
    ) -> None:
        message = "\n".join(map(_shortened, [in_one_line(message), *(details.split("\n") if details else [])]))
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.path = path
        self.line = line

    def __str__(self) -> str:
        path = in_one_line(str(self.path))
        where = "" if self.path is None else f"{path}:{self.line}: " if self.line else f"{path}: "
        return where + self.message


def in_one_line(text: str) -> str:
    """Return `text` with an escape for each newline."""
    return text.replace("\n", "\\n")


def _shortened(line: str) -> str:
    return line if len(line) <= _LONG else f"{line[: _LONG // 2]}…{line[-_LONG // 2 + 1 :]}"


class ProjectError(NixpyError):
    """A project that cannot be read: its pyproject.toml, its requirements files or its settings."""


class LockError(NixpyError):
    """A lock file that cannot be read, or that does not have what the project installs from it."""


class NetworkError(NixpyError):
    """A package index or a server that cannot be reached, refuses access or lacks a file."""


@contextmanager
def raised_as(kind: type[NixpyError]) -> Iterator[None]:
    """Raise a NixpyError from the block as `kind`; one that has a subclass of its own stays as it is."""
    try:
        yield
    except NixpyError as error:
        if type(error) is not NixpyError:
            raise
        message, _, details = error.message.partition("\n")
        precise = kind(message, details=details, hint=error.hint, path=error.path, line=error.line)
        raise precise.with_traceback(error.__traceback__) from error.__cause__


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the one of `known` that `word` may have been meant for, None where none is like it."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), 1, cutoff)), None)
