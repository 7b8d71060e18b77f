"""The road from a lock to what is recorded of it: which wheels, where they are, what they need.

Disk and network are touched here; every step is another module's, this one only leads from each to the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename

from nixpy.analysis.nixpylock import Record, Wheel
from nixpy.analysis.sources import Sources
from nixpy.core.target import Target
from nixpy.libraries import manylinux
from nixpy.locks.model import Choice, Lock, LockedWheel, Selection, Unavailable, WheelFile
from nixpy.locks.select import select
from nixpy.needs.derive import needs_of
from nixpy.needs.model import Needs, WheelFacts
from nixpy.needs.requires import Requires, required


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Every wheel the project installs, with its needs, and the packages that have none for a system."""

    wheels: tuple[Wheel, ...]
    unavailable: tuple[Unavailable, ...]

    def record(
        self, *, python: str, release: str, inputs: str, systems: Iterable[str], complete: bool = False
    ) -> Record:
        """Return what nixpy.lock is to say of them: with `complete` of all, else of those that matter."""
        return Record(
            python=python,
            release=release,
            inputs=inputs,
            systems=tuple(sorted(systems)),
            wheels=tuple(wheel for wheel in self.wheels if complete or wheel.matters),
            unavailable=self.unavailable,
            complete=complete,
        )


def analyse(lock: Lock, targets: Sequence[Target], choice: Choice, sources: Sources) -> Findings:
    """Return the wheels that `lock` installs on every target, each with what it needs.

    Raises NixpyError where the lock cannot be satisfied or a wheel cannot be read.
    """
    selection = select(lock, targets, choice)
    unavailable = selection.unavailable
    if any(item.file for item in unavailable):
        from nixpy.analysis.sdists import with_sources

        unavailable = with_sources(unavailable, targets, sources)
    return Findings(wheels=_needs_of_wheels(selection, targets, sources), unavailable=unavailable)


def _needs_of_wheels(selection: Selection, targets: Sequence[Target], sources: Sources) -> tuple[Wheel, ...]:
    """Return each wheel with its needs, in the same order; what was recorded before is not looked up again."""
    locked = selection.wheels
    # A promise of the tag is to be replaced by facts, where they can be had now.
    known = [] if sources.rescan else [wheel for wheel in sources.known if not wheel.guessed]
    recorded = {wheel.identity: wheel for wheel in known}
    # What a wheel requires is recorded as far as it is locked, and of extras in use: other packages may change either.
    same = {wheel.identity for wheel in locked} == recorded.keys() and (
        {(item.system, item.name) for item in selection.unavailable}
        == {(item.system, item.name) for item in sources.lacking}
    )
    again = sources.metadata and not (same and all(wheel.requires is not None for wheel in known))
    facts = _gather([wheel for wheel in locked if again or wheel.identity not in recorded], targets, sources)
    requires: dict[LockedWheel, Requires] = {}
    for target in targets if again else ():
        requires |= _requires(selection, facts, target, sources.asked)
    machines = {target.system: target.machine for target in targets}
    wheels = []
    for wheel in locked:
        before, found = recorded.get(wheel.identity), requires.get(wheel)
        wheels.append(
            Wheel(
                system=wheel.system,
                name=wheel.name,
                version=wheel.version,
                filename=wheel.file.filename,
                sha256=wheel.file.sha256,
                needs=before.needs if before else _needs(wheel, facts[wheel], machines[wheel.system]),
                requires=found.names if found else before.requires if before else None,
                by_extras=found.by_extras if found else before.by_extras if before else (),
            )
        )
    return tuple(wheels)


def _requires(
    selection: Selection,
    facts: Mapping[LockedWheel, WheelFacts],
    target: Target,
    asked: Sequence[Requirement] | None,
) -> dict[LockedWheel, Requires]:
    """Return what each wheel for `target` asks for of what is locked there, where that can be found out."""
    here = {wheel.name: wheel for wheel in selection.wheels if wheel.system == target.system}
    lines = {name: own for name, wheel in here.items() if (own := facts[wheel].requires) is not None}
    among = {*here, *(item.name for item in selection.unavailable if item.system == target.system)}
    # A wheel that was not opened may ask for any extra of others.
    found = required(lines, target.marker_environment(), among, asked if lines.keys() == here.keys() else None)
    return {here[name]: names for name, names in found.items()}


def _gather(
    wheels: Sequence[LockedWheel], targets: Sequence[Target], sources: Sources
) -> dict[LockedWheel, WheelFacts]:
    # `check` gathers nothing, so it need not wait for all that does.
    from nixpy.index.settings import IndexSettings
    from nixpy.wheels.cache import Cache
    from nixpy.wheels.gather import gather

    def locate(lacking: Sequence[LockedWheel]) -> dict[LockedWheel, WheelFile]:
        from nixpy.wheels.addresses import addresses

        found: dict[LockedWheel, WheelFile] = {}
        for target in targets:
            found |= addresses([wheel for wheel in lacking if wheel.system == target.system], target, sources.root)
        return found

    venv = sources.venv or sources.root / ".venv"
    return gather(
        wheels,
        venv=venv if (venv / "pyvenv.cfg").is_file() else None,
        index=IndexSettings.load(sources.root).with_urls(sources.index_urls),
        cache=Cache.default(),
        offline=sources.offline,
        rescan=sources.rescan,
        metadata=sources.metadata,
        progress=sources.progress,
        locate=locate,
    )


def _needs(wheel: LockedWheel, facts: WheelFacts, machine: int | None) -> Needs:
    needs = needs_of(wheel.name, facts, machine)
    if facts.known != "tag" or machine is None:
        return needs
    # Not opened: it may ask for whatever its tag lets a wheel leave out, and that is supplied until it is.
    _, _, _, tags = parse_wheel_filename(wheel.file.filename)
    allowed = manylinux.allowed({tag.platform for tag in tags})
    return replace(needs, sonames=tuple((soname, wheel.file.filename) for soname in sorted(allowed)))
