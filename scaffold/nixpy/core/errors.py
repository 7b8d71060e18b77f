"""The exceptions that a user meets: what is wrong, where, and the way out. Each kind has a code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

_LONG = 2_000  # characters of a line


class NixpyError(Exception):
    """Input that nixpy cannot work with; the command line prints it and exits with 2. Raise one of the subclasses.

    `code` is that of the kind, as `diagnostics/codes.csv` explains it. `message` says what is wrong, `hint` what to do
    about it, `path` and `line` where (1-based line). A line of the message that is longer than 2,000
    characters, as text of others may be, lacks its middle.
    """

    code: ClassVar[str]

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


class InputError(NixpyError):
    """A file or a text that cannot be read: missing, damaged, or larger than nixpy reads."""

    code = "NIX701"


class ArgumentError(NixpyError):
    """An argument or an option that is not valid, or several that contradict each other."""

    code = "NIX702"


class ProjectError(NixpyError):
    """A project that cannot be read: its pyproject.toml, its requirements files or its settings."""

    code = "NIX703"


class SettingError(ProjectError):
    """A setting of nixpy that is not valid, or that does not fit the project."""

    code = "NIX704"


class LockError(NixpyError):
    """A lock file that cannot be read, or that does not have what the project installs from it."""

    code = "NIX705"


class NetworkError(NixpyError):
    """A package index or a server that cannot be reached, refuses access or lacks a file."""

    code = "NIX706"


class ResolutionError(NixpyError):
    """Requirements for which the index has no versions, no files or no hashes that fit."""

    code = "NIX707"


class BuildNeededError(NixpyError):
    """Packages that must be built to know what they require."""

    code = "NIX708"


class IndexSettingError(NixpyError):
    """A setting of uv or pip that cannot be read, or that nixpy refuses."""

    code = "NIX709"


class ProgramError(NixpyError):
    """A program or a package of Python that nixpy needs for this command, and that is missing or too old."""

    code = "NIX710"


class ArchiveError(NixpyError):
    """A wheel or an sdist that is damaged, unsafe to open, or not the file that was promised."""

    code = "NIX711"


class OutputError(NixpyError):
    """A file that nixpy does not write: it is not nixpy's, or lies outside the project."""

    code = "NIX712"


class MachineError(NixpyError):
    """An operation that the operating system refuses, as on a full disk or without permission."""

    code = "NIX713"


class VenvError(NixpyError):
    """A virtual environment that `nixpy patch` cannot patch."""

    code = "NIX714"


class InternalError(NixpyError):
    """A fault of nixpy itself: one of its tables or styles is damaged, or an exception is not foreseen."""

    code = "NIX715"


@contextmanager
def raised_as(kind: type[NixpyError]) -> Iterator[None]:
    """Raise an InputError from the block as `kind`, which says what the text is of; other errors stay as they are."""
    try:
        yield
    except InputError as error:
        precise = kind(error.message, hint=error.hint, path=error.path, line=error.line)
        raise precise.with_traceback(error.__traceback__) from error.__cause__


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the one of `known` that `word` may have been meant for, None where none is like it."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), 1, cutoff)), None)
