"""Turn unforeseen exceptions into messages that explain how to report them."""

from __future__ import annotations

import os
import platform
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from nixpy import __version__
from nixpy.core.errors import InternalError, MachineError, NixpyError

_PACKAGE = Path(__file__).parents[1]
_OPTION = re.compile(r"--[a-z][a-z-]*")
_DEBUG = "NIXPY_DEBUG"


class Fault(InternalError):
    """An exception that nixpy does not foresee; `error` is that exception.

    The message does not contain the text of the exception, which may have a secret such as a password.
    """

    def __init__(self, error: Exception, *, command: str, path: Path | None = None) -> None:
        what = f"{type(error).__name__} in {_place(error)}"
        if isinstance(error, ImportError):  # which has only the name of a module
            what += f" ({error})"
        super().__init__(
            f"this is a fault of nixpy: {what}",
            path=path,
            hint=f"Report it to the developers of nixpy, with this message and: nixpy {__version__}, Python "
            f"{platform.python_version()}, {sys.platform} {platform.machine()}, `{command}`; {_DEBUG}=1 shows the "
            "traceback, which may hold secrets.",
        )
        self.error = error

    def trace(self) -> str:
        """Return the traceback if `NIXPY_DEBUG` is 1, else an empty string.

        Control characters are escaped.
        """
        if os.environ.get(_DEBUG) != "1":
            return ""
        text = "".join(traceback.format_exception(self.error))
        return "".join(char if char == "\n" or char.isprintable() else ascii(char)[1:-1] for char in text)


def as_error(error: Exception, *, command: str, path: Path | None = None) -> NixpyError:
    """Return any exception as an error to show.

    A NixpyError stays as it is, an OSError gets its file, and any other becomes a Fault.

    Args:
        error: The exception.
        command: The command line, as `described` returns it.
        path: The project folder.
    """
    if isinstance(error, NixpyError):
        return error
    if isinstance(error, OSError):  # a full disk behind `>`, a file without permissions
        return MachineError(error.strerror or str(error), path=error.filename or path)
    return Fault(error, command=command, path=path)


def described(arguments: Sequence[str], commands: Sequence[str]) -> str:
    """Return a command line without possible secrets.

    The result has the command and the names of its options.
    """
    name = next((word for word in arguments if word in commands), None)
    options = (word.partition("=")[0] for word in arguments)
    return " ".join(("nixpy", *([name] if name else []), *filter(_OPTION.fullmatch, options)))


def _place(error: Exception) -> str:
    """Return the last line of nixpy in the traceback, else its last line."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    if own:
        return f"{Path(own[-1].filename).relative_to(_PACKAGE)}, line {own[-1].lineno}"
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "an unknown place"
