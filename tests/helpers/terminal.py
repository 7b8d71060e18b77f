"""A terminal of ours: programs run in a real pseudo-terminal of a given width, and keys are pressed in it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_CONTROL = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[=>()][0-9A-Za-z]?)")
_PATIENCE = 30
CTRL_C, TAB = "\x03", "\t"


class Terminal:
    """One program in a terminal; `text` is all that it wrote so far, with its control sequences."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._screen, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        environment = {"TERM": "xterm-256color", **(os.environ if env is None else env)}
        environment.pop("COLUMNS", None)
        self._process = subprocess.Popen(
            command,
            stdin=inner,
            stdout=inner,
            stderr=inner,
            cwd=cwd,
            env=environment,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509  (one call, which takes no lock)
        )
        os.close(inner)
        self.text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._screen)

    @property
    def plain(self) -> str:
        """What was written, without control sequences."""
        return _CONTROL.sub("", self.text).replace("\r\n", "\n")

    @property
    def shown(self) -> str:
        """What stands on the screen in the end, without control sequences."""
        return _CONTROL.sub("", self.last_screen)

    @property
    def last_screen(self) -> str:
        """What stands on the screen in the end, with its colours: what was written over or erased is gone."""
        lines, at = [""], 0
        for part in re.split(r"(\r|\n|\x1b\[1A|\x1b\[2K)", self.text):
            if part == "\r":
                continue  # what comes next writes the whole line anew
            if part == "\n":
                at += 1
                lines[at:] = lines[at:] or [""]
            elif part == "\x1b[1A":
                at -= 1
            elif part == "\x1b[2K":
                lines[at] = ""
            else:
                lines[at] += _CONTROL.sub(lambda found: found[0] if found[0].endswith("m") else "", part)
        return "\n".join(lines)

    def press(self, keys: str) -> None:
        """Type these; CTRL_C and TAB are keys as well."""
        os.write(self._screen, keys.encode())

    def wait_for(self, pattern: str) -> None:
        """Go on reading until what was written matches."""
        end = time.monotonic() + _PATIENCE
        while not re.search(pattern, self.plain):
            assert self._read(end), f"{pattern!r} did not come in:\n{self.plain}"

    def ended(self) -> int:
        """Read all that is written until the program ends, and return its exit status."""
        end = time.monotonic() + _PATIENCE
        while self._read(end):
            pass
        return self._process.wait(max(1, end - time.monotonic()))

    def _read(self, end: float) -> bool:
        if not select.select([self._screen], [], [], max(0, end - time.monotonic()))[0]:
            return False
        try:
            more = os.read(self._screen, 65536)
        except OSError:  # Linux's way to say that nobody holds the other end any more
            return False
        self.text += more.decode("utf-8", "replace")
        return bool(more)


def run(
    command: Sequence[str], *, columns: int = 80, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> tuple[int, Terminal]:
    """Run a program to its end and return its exit status, and the terminal for what it wrote."""
    with Terminal(command, columns=columns, cwd=cwd, env=env) as terminal:
        return terminal.ended(), terminal


def _take_terminal() -> None:
    """Make the terminal the one of the new session, so that Ctrl-C reaches the whole group."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
