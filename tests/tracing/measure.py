"""Run the main work of a package with what nixpy renders, then with all that it asked for, and compare."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tracing import log, machine
from tracing.debian import TRACE, Debian
from tracing.rendered import Rendered, ScanError, rendered, rendered_alone
from tracing.results import Row
from tracing.works import Work

_ROUNDS = 40  # of giving what was asked for and not found
_GRAPHICAL = frozenset({"window", "opengl", "screen"})
_UV = Path(sys.executable).with_name("uv")
_PLATFORM = ("--python-version", "3.13", "--python-platform", "x86_64-manylinux_2_36")


def install(work: Work, versions: Sequence[str] = ()) -> tuple[Path, tuple[str, ...]]:
    """Install what a package needs into a folder of the cache, these versions or the newest.

    Returns:
        The folder, and the installed versions, such as `mss==10.2.0`.
    """
    wanted = versions or work.requirements
    site = TRACE / "sites" / (f"{work.name}-sample" if versions else work.name)
    marker = site / ".requirements"
    if not marker.exists() or marker.read_text().splitlines() != list(wanted):
        shutil.rmtree(site, ignore_errors=True)
        command: list[str | Path] = [_UV, "pip", "install", "-q", "--target", site, *_PLATFORM, *wanted]
        options = (["--no-deps"] if versions else []) + ([] if work.builds else ["--no-build"])
        subprocess.run([*command, *options], check=True)
        marker.write_text("\n".join(wanted))
    found = [path.name.removesuffix(".dist-info").replace("-", "==", 1) for path in site.glob("*.dist-info")]
    first = canonicalize_name(Requirement(work.requirements[0]).name)
    return site, tuple(sorted(found, key=lambda wheel: (canonicalize_name(wheel.partition("==")[0]) != first, wheel)))


def measure(work: Work, debian: Debian, versions: Sequence[str] = ()) -> Row:
    """Measure one package, in these versions or the newest."""
    site, wheels = install(work, versions)
    project = TRACE / "projects" / work.name
    try:
        given = rendered(wheels, work.script, project, builds=work.builds)
    except ScanError:  # uv cannot resolve the versions for every system
        given = rendered_alone(wheels[0])
    return observe(work, site, wheels, given, debian)


def observe(work: Work, site: Path, wheels: tuple[str, ...], given: Rendered, debian: Debian) -> Row:
    """Run the main work of an installed package with what is rendered, and with all that it asks for."""
    sonames = given.linked | given.opened
    libraries = debian.provide(sorted(sonames))
    # nixpkgs may have a newer version than Debian.
    others = {name: debian.soname_of(_stem(name)) for name in sonames - libraries.keys()}
    libraries |= debian.provide(soname for soname in others.values() if soname is not None)
    lacking = {name for name, soname in others.items() if soname is None}
    sessions = [_session(work, session, site, libraries, debian) for session in _sessions(work)]
    everything = frozenset[str]().union
    stems = {_stem(soname) for soname in sonames}
    opened = everything(*(seen.opened for seen in sessions)) - given.linked
    mapped = {_stem(name) for seen in sessions for name in seen.mapped}
    missed = {name for name in opened.union(*(seen.linked for seen in sessions)) if _stem(name) not in stems}
    offered = {name for name in missed if _stem(name) in {_stem(soname) for soname in given.offered}}
    ended = [run for seen in sessions for run in (seen.last, seen.first) if run.status]
    return Row(
        name=work.name,
        kind=work.kind,
        wheels=wheels,
        works=all(seen.first.status == 0 or seen.last.status != 0 for seen in sessions) and sessions[0].works,
        works_with_all=sessions[0].last.status == 0,
        linked=_sorted(given.linked),
        rendered=_sorted(given.opened),
        opened=_sorted(opened),
        missed=_sorted(missed - offered),
        offered=_sorted(offered),
        never=_sorted(name for name in given.opened - lacking if _stem(name) not in mapped),
        lacking=_sorted(lacking),
        unknown=_sorted(everything(*(seen.unknown for seen in sessions))),
        output=ended[0].output[-600:] if ended else "",
        reason=work.reason,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What was seen in one session: the run with what is rendered, and the run with all that it asked for."""

    first: machine.Run
    last: machine.Run
    linked: frozenset[str]
    opened: frozenset[str]
    mapped: frozenset[str]
    unknown: frozenset[str]

    @property
    def works(self) -> bool:
        """Whether the work was done with what is rendered."""
        return self.first.status == 0


def _sessions(work: Work) -> tuple[machine.Session, ...]:
    return ("x11", "wayland") if work.kind in _GRAPHICAL else ("x11",)


def _session(work: Work, session: machine.Session, site: Path, libraries: Mapping[str, Path], debian: Debian) -> _Seen:
    own = {path.name for path in site.rglob("*") if path.is_file()}
    folder = TRACE / "runs" / work.name / session
    first = last = machine.run(work.script, site, libraries, folder / "rendered", session=session)
    trace = _read(first, own, libraries)
    mapped = _canonical(trace.mapped, debian)
    for _ in range(_ROUNDS):
        more = debian.provide(sorted(trace.failed - libraries.keys()))
        if not more:
            break
        sonames = debian.provide(_canonical(more, debian))
        libraries = {**libraries, **more, **sonames}
        last = machine.run(work.script, site, libraries, folder / "all", session=session)
        trace = _read(last, own, libraries)
        mapped |= _canonical(trace.mapped, debian)
    return _Seen(
        first=first,
        last=last,
        linked=_canonical(trace.linked, debian),
        opened=_canonical(trace.opened, debian),
        mapped=mapped,
        unknown=frozenset(name for name in trace.failed if debian.soname_of(name) is None),
    )


def _read(run: machine.Run, own: Iterable[str], libraries: Mapping[str, Path]) -> log.Trace:
    return log.read(run.log, own=frozenset(own), given=libraries.keys())


def _canonical(names: Iterable[str], debian: Debian) -> frozenset[str]:
    """Return the sonames of names such as `libz.so`, as far as they are known."""
    return frozenset(debian.soname_of(name) or name for name in names if name)


def _stem(soname: str) -> str:
    """Return `libz.so` for `libz.so.1`."""
    return soname.partition(".so")[0] + ".so"


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))
