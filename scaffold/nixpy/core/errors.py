"""Define the exceptions that users see: the problem, its place, and the remedy.

Each kind has a code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

_LONG = 2_000  # characters of a line


class NixpyError(Exception):
    """Input that nixpy cannot work with; raise one of the subclasses.

    The command line prints it and exits with 2.

    `code` is that of the kind; `diagnostics/codes.csv` explains it. `message` names the problem and `hint` the remedy.
    `path` and `line` (1-based) are the place. `details` are lines below the message, such as those of uv. A newline in
    the message, which may quote a file of others, is written as an escape: otherwise it could forge another error.
    nixpy cuts the middle out of each line that is longer than 2,000 characters.
    """

    code: ClassVar[str]

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


class InputError(NixpyError):
    """A file or a text that is missing, damaged, or larger than nixpy reads."""

    code = "NIX701"


class ArgumentError(NixpyError):
    """An argument or option that is not valid, or contradicts another one."""

    code = "NIX702"


class ProjectError(NixpyError):
    """A project that cannot be read.

    The cause is its pyproject.toml, its requirements files or its settings.
    """

    code = "NIX703"


class SettingError(ProjectError):
    """A setting of nixpy that is not valid, or that does not fit the project."""

    code = "NIX704"


class LockError(NixpyError):
    """A lock file that is invalid or lacks something that the project installs."""

    code = "NIX705"


class NetworkError(NixpyError):
    """A package index or server that is unreachable, refuses, or lacks a file."""

    code = "NIX706"


class ResolutionError(NixpyError):
    """Requirements without fitting versions, files or hashes on the index.

    With `no_wheel`, versions fit, but have no wheel for this Python.
    """

    code = "NIX707"
    no_wheel = False


class BuildNeededError(NixpyError):
    """Packages that must be built to know what they require.

    `packages` are their normalised names, if they are known.
    """

    code = "NIX708"

    def __init__(self, message: str, *, hint: str, packages: Iterable[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.packages = tuple(packages)


class IndexSettingError(NixpyError):
    """A setting of uv or pip that cannot be read, or that nixpy refuses."""

    code = "NIX709"


class ProgramError(NixpyError):
    """A program or a package of Python that is missing or too old."""

    code = "NIX710"


class ArchiveError(NixpyError):
    """A wheel or an sdist that is damaged, unsafe, or has a wrong hash."""

    code = "NIX711"


class OutputError(NixpyError):
    """A file that nixpy does not write, since it does not own it.

    Another program wrote it, or it is outside the project.
    """

    code = "NIX712"


class MachineError(NixpyError):
    """An operation that the operating system refuses.

    The disk may be full, or a permission missing.
    """

    code = "NIX713"


class VenvError(NixpyError):
    """A virtual environment that `nixpy patch` cannot patch."""

    code = "NIX714"


class InternalError(NixpyError):
    """A bug in nixpy: a damaged table or style, or an unforeseen exception."""

    code = "NIX715"


@contextmanager
def raised_as(kind: type[NixpyError]) -> Iterator[None]:
    """Raise an InputError from the block as `kind`, which names the kind of text.

    Other errors stay.
    """
    try:
        yield
    except InputError as error:
        message, _, details = error.message.partition("\n")
        precise = kind(message, details=details, hint=error.hint, path=error.path, line=error.line)
        raise precise.with_traceback(error.__traceback__) from error.__cause__


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the most similar word of `known`, or None if none is similar to `word`."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), 1, cutoff)), None)
