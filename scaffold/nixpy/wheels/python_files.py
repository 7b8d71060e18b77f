"""Find and read the Python sources and the programs of a wheel."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from nixpy.core import entry_points, limits
from nixpy.needs.model import RuntimeOpen
from nixpy.needs.sources.modules import is_test
from nixpy.needs.sources.read import read_sources
from nixpy.wheels.archive import Member

_STUB = "__init__.pyi"  # lazy loaders read from it which modules a package has


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The paths of the files that nixpy reads, and of sources that it leaves out.

    The files are sources, stubs of packages and entry points. Sources past a limit of `core.limits` are left out.
    """

    paths: frozenset[str] = frozenset()
    size: int = 0  # bytes of them all
    past_limits: tuple[str, ...] = ()


def candidates(members: Iterable[Member]) -> Candidates:
    """Find the sources of a wheel and its entry points.

    Sources are files with the suffix `.py`, without tests.
    """
    paths: set[str] = set()
    past_limits: list[str] = []
    size = 0
    for member in sorted(members, key=lambda member: member.path):
        most = limits.INI_SIZE if _is_entry_points(member.path) else limits.SOURCE if _is_source(member.path) else 0
        if member.size <= min(most, limits.SOURCES - size):
            paths.add(member.path)
            size += member.size
        elif most and member.path.endswith(".py"):
            past_limits.append(member.path)
    return Candidates(paths=frozenset(paths), size=size, past_limits=tuple(past_limits))


def read(contents: Mapping[str, bytes], members: Collection[str]) -> tuple[tuple[RuntimeOpen, ...], tuple[str, ...]]:
    """Return the libraries that sources open, and the modules that they import.

    Libraries are opened at run time, modules are those of other packages.

    Args:
        contents: The bytes of the candidates by their path in the wheel.
        members: The paths of all files of the wheel.
    """
    texts = [contents[path] for path in contents if _is_entry_points(path)]
    programs = _modules(called for text in texts for called in entry_points.programs(text).values())
    plugins = _modules(called for text in texts for called in entry_points.plugins(text))
    sources = {path: data for path, data in contents.items() if not _is_entry_points(path)}
    return read_sources(sources, programs, members, plugins)


def _modules(called: Iterable[str]) -> list[str]:
    """Return the modules of entry points, sorted."""
    return sorted({text.partition(":")[0].partition("[")[0].strip() for text in called})


def _is_source(path: str) -> bool:
    # A name with control characters is hostile.
    return path.endswith((".py", _STUB)) and path.isprintable() and not is_test(path)


def _is_entry_points(path: str) -> bool:
    folder, _, name = path.partition("/")
    return folder.endswith(".dist-info") and name == "entry_points.txt"
