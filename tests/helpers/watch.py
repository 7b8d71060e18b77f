"""What this process does outside of itself, seen by an audit hook of Python (PEP 578).

    with watch() as seen:
        main(["check"])
    assert not seen.programs

Every program that is started, every connection, every file that is written and every Python file that is run raises an
event of Python's own, whichever library is behind it. What a program does that was started is not seen.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_PROGRAMS = {"os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn"}
_CHANGES = {  # the events with the places of the paths in their arguments
    "os.mkdir": (0,),
    "os.rename": (0, 1),
    "os.remove": (0,),
    "os.rmdir": (0,),
    "os.link": (1,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.chmod": (0,),
    "os.utime": (0,),
}


@dataclass(slots=True)
class Seen:
    """The programs, hosts with ports, written paths and run Python files, each once."""

    programs: set[str] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)
    written: set[Path] = field(default_factory=set)
    run: set[Path] = field(default_factory=set)


_watching: list[Seen] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    seen = _watching[-1]
    if event == "open":
        path, _, flags = arguments
        if isinstance(path, str | bytes) and isinstance(flags, int) and flags & _WRITES:
            seen.written.add(_path(path))
    elif event == "exec":
        seen.run.add(Path(arguments[0].co_filename))
    elif event in _CHANGES:
        seen.written.update(
            _path(arguments[place]) for place in _CHANGES[event] if not isinstance(arguments[place], int)
        )
    elif event == "subprocess.Popen":
        seen.programs.add(os.fsdecode(arguments[0] or arguments[1][0]))
    elif event in _PROGRAMS:
        seen.programs.add(str(arguments[0]) if arguments else event)
    elif event == "socket.connect":
        address = arguments[1]
        seen.hosts.add(f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address))
    elif event == "socket.getaddrinfo":
        seen.hosts.add(f"{_text(arguments[0])}:{arguments[1]}")
    elif event in {"socket.sendto", "socket.sendmsg"}:
        seen.hosts.add(str(arguments[1]))


def _text(value: object) -> str:
    return os.fsdecode(value) if isinstance(value, bytes) else str(value)


def _path(path: Any) -> Path:
    return Path(os.path.normpath(Path(os.fsdecode(path)).absolute()))


_install: Callable[[Callable[[str, tuple[Any, ...]], None]], None] | None = sys.addaudithook


@contextmanager
def watch() -> Iterator[Seen]:
    """Watch this process, all its threads, while the block runs."""
    global _install  # noqa: PLW0603 - a hook stays for good, so there is one
    if _install:
        _install(_hook)
        _install = None
    seen = Seen()
    _watching.append(seen)
    try:
        yield seen
    finally:
        _watching.remove(seen)
