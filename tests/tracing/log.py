"""Read what `LD_DEBUG=files` and the recorded `find_library` wrote of one run."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

# glibc's own, which every program finds; and what its loader finds by itself on NixOS.
GLIBC = re.compile(
    r"lib(c|m|mvec|pthread|dl|rt|util|resolv|anl|nsl|nss_\w+|BrokenLocale|gcc_s)\.so(\.\d+)?|ld-linux-x86-64\.so\.2"
)
_REQUEST = re.compile(r"\s*\d+:\s+file=(.*) \[\d+\];  (needed|dynamically loaded) by (.*) \[\d+\]$")
_MAPPED = re.compile(r"\s*\d+:\s+file=(.*) \[\d+\];  generating link map")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The libraries outside glibc and the package that one run opened, by the name that was asked for.

    `linked` are those that a file of the package links to; `opened` and `failed` those that it opens at run time.
    `mapped` are all that were loaded, whatever asked for them. A name that was loaded before is in none but `mapped`.
    """

    linked: frozenset[str]
    opened: frozenset[str]
    failed: frozenset[str]
    mapped: frozenset[str]


def read(log: Path, *, own: Collection[str], given: Collection[str]) -> Trace:
    """Read the logs of one run.

    Args:
        log: The folder of the logs.
        own: The names of the files that the tested packages have.
        given: The names of the libraries that `LD_LIBRARY_PATH` has.
    """
    linked, asked, lost, mapped = set[str](), set[str](), set[str](), set[str]()
    for file in sorted(log.glob("ld.*")):
        lines = [line for line in file.read_text(errors="replace").splitlines() if "\tfile=" in line]
        here = {match[1].rpartition("/")[2] for match in map(_MAPPED.match, lines) if match}
        mapped |= here
        for name, how, by in (match.groups() for match in map(_REQUEST.match, lines) if match):
            if not _is_outside(name, own) or not _asks(by, how, own):
                continue
            base = name.rpartition("/")[2]
            if base not in here and base not in given:
                lost.add(base)
            elif how == "needed":
                linked.add(base)
            else:
                asked.add(base)
    for name, found in _looked_for(log):
        (asked if found else lost).add(found or f"lib{name}.so")
    asked, lost = ({name for name in names if not GLIBC.fullmatch(name)} for names in (asked, lost))
    return Trace(
        linked=frozenset(linked),
        opened=frozenset(asked),
        failed=frozenset(lost - linked - asked),
        mapped=frozenset(mapped),
    )


def _is_outside(name: str, own: Collection[str]) -> bool:
    """Return whether a name is that of a library outside the packages and glibc."""
    base = Path(name).name
    return not name.startswith(("/app/", "/nix/", "/home/")) and base not in own and not GLIBC.fullmatch(base)


def _asks(by: str, how: str, own: Collection[str]) -> bool:
    """Return whether who asks is a file of the packages, or Python for one of them: not a library of the system."""
    if by.startswith("/"):
        return by.startswith(("/app/", "/home/")) or (how != "needed" and "/lib-dynload/_ctypes." in by)
    return by in own  # a program that was started by its name


def _looked_for(log: Path) -> list[tuple[str, str | None]]:
    """Return each name that a file of the packages looks for by `find_library`, and the answer."""
    file = log / "find_library"
    if not file.exists():
        return []
    calls = [json.loads(line) for line in file.read_text().splitlines()]
    return [
        (call["name"], call["found"])
        for call in calls
        if call["caller"].startswith(("/app/", "/home/")) and call["name"]
    ]
