"""Find the libraries that Python sources open with ctypes and cffi.

They open them directly or through functions of the package. nixpy evaluates the sources and never runs them:
`needs.py` explains how it distinguishes alternatives from separate libraries,
`evaluation.py` evaluates modules, and `values.py` defines the values.
"""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from nixpy.core.target import SYSTEMS
from nixpy.needs.model import OWN
from nixpy.needs.sources.needs import Need, needs_on
from nixpy.needs.sources.package import Package
from nixpy.needs.sources.reach import reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A place in a source that opens a library.

    `names` are those that the code tries, in this order, and one of them is enough: sonames (`libz.so.1`) or file
    names (`libz.so`). `find_library("z")` is the name `libz.so`; `find_library` is true if all names come from it.
    `systems` are those for which the code has this call. `at_import`: importing the module makes the call, directly
    or through functions. `guarded`: the code can go on without the library, or something unknown decides whether
    it opens the library.
    """

    names: tuple[str, ...]
    path: str  # inside the wheel
    line: int
    find_library: bool = False
    systems: tuple[str, ...]  # sorted
    at_import: bool
    guarded: bool


def find_calls(
    sources: Mapping[str, str], members: Collection[str] | None = None, *, own: bool = False
) -> tuple[Call, ...]:
    """Return the calls of sources that open libraries, sorted by path and line.

    `sources` are the texts of the Python files by their path in the wheel. `members` are the paths of all its files:
    a library that is one of them gives no call, or, with `own`, one with its path after `./`. Without `members`, the
    wheel has only the sources. Sources that Python 3 cannot parse are ignored.

    >>> find_calls({"demo.py": "import ctypes; ctypes.CDLL('libz.so.1')"})[0].names
    ('libz.so.1',)
    """
    with _without_collector():
        found = _needs(Package(sources), frozenset(sources) | frozenset(members or ()))
    calls: dict[tuple[str, int, tuple[str, ...]], Call] = {}
    for system, needs in sorted(found.items()):
        for need in needs:
            call = _call(need, system)
            if call.names[0].startswith(OWN) and not own:
                continue
            key = (call.path, call.line, call.names)
            calls[key] = _merged(calls[key], call) if key in calls else call
    return tuple(sorted(calls.values(), key=lambda call: (call.path, call.line, call.names)))


def _needs(package: Package, members: frozenset[str]) -> dict[str, tuple[Need, ...]]:
    """Return the needs on each system."""
    chosen = reach(package)
    found: dict[str, tuple[Need, ...]] = {}
    used_machine = True
    for system in sorted(SYSTEMS, reverse=True) if chosen.modules else ():
        if system == "aarch64-linux" and not used_machine:
            found[system] = found["x86_64-linux"]
        else:
            found[system], used_machine = needs_on(package, chosen, system, members)
    return found


@contextmanager
def _without_collector() -> Iterator[None]:
    """Do without the collector of cycles.

    Syntax trees have many objects and no cycles; without it, parsing takes a third of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _call(need: Need, system: str) -> Call:
    first = need.attempts[0]
    return Call(
        names=need.names,
        path=first.path,
        line=first.line,
        find_library=all(attempt.find_library for attempt in need.attempts),
        systems=(system,),
        at_import=first.at_import,
        guarded=need.is_guarded,
    )


def _merged(one: Call, other: Call) -> Call:
    return replace(
        one,
        systems=tuple(sorted({*one.systems, *other.systems})),
        find_library=one.find_library and other.find_library,
        at_import=one.at_import or other.at_import,
        guarded=one.guarded and other.guarded,
    )
