"""Find the wheels of a lock, their files and their needs: the facts in nixpy.lock.

This module uses disk and network. It only connects the steps, which are in other modules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.requirements import Requirement

from nixpy.analysis.analysis_options import AnalysisOptions
from nixpy.analysis.nixpylock import NixpyLock, Wheel
from nixpy.core.target import Target
from nixpy.core.wheel_name import parse_wheel_filename
from nixpy.libraries import manylinux
from nixpy.locks.model import ExtrasAndGroups, Lock, Locked, LockedWheel, Unavailable, WheelFile
from nixpy.locks.select import select
from nixpy.needs.derive import needs_of
from nixpy.needs.model import Needs, WheelFacts, unreached_modules
from nixpy.needs.requires import Requires, required
from nixpy.needs.sources.modules import below


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """The wheels that a project installs, and the packages without one.

    Each wheel has its needs; a package is without one for a system. Without `complete`, pure Python wheels may be
    missing.
    """

    wheels: tuple[Wheel, ...]
    unavailable: tuple[Unavailable, ...]
    complete: bool = True
    pure: tuple[tuple[str, str], ...] = ()  # the names and versions of those that are missing

    @property
    def names(self) -> frozenset[str]:
        """The names of the packages, on any system."""
        return frozenset((*(wheel.name for wheel in self.wheels), *(item.name for item in self.unavailable)))

    def to_nixpy_lock(
        self,
        *,
        python: str,
        release: str,
        inputs: str,
        systems: Iterable[str],
        complete: bool = False,
        installable: bool = False,
    ) -> NixpyLock:
        """Return the content of nixpy.lock.

        With `complete` it has all wheels, else those that can change the Nix files. With `installable` it also has what
        each wheel requires.
        """
        wheels = (wheel for wheel in self.wheels if complete or wheel.matters)
        others = {(str(wheel.name), wheel.version) for wheel in self.wheels if not complete and not wheel.matters}
        if not installable:
            wheels = (replace(wheel, requires=None, by_extras=()) for wheel in wheels)
        return NixpyLock(
            python=python,
            release=release,
            inputs=inputs,
            systems=tuple(sorted(systems)),
            wheels=tuple(wheels),
            unavailable=self.unavailable,
            complete=complete,
            pure=tuple(sorted({*self.pure, *others})),
        )


def analyse(
    lock: Lock, targets: Sequence[Target], extras_and_groups: ExtrasAndGroups, analysis_options: AnalysisOptions
) -> Analysis:
    """Return the wheels that `lock` installs on every target, each with its needs.

    Raises NixpyError if the lock does not fit the targets, extras and groups, or a wheel cannot be read.
    """
    locked = select(lock, targets, extras_and_groups)
    unavailable = locked.unavailable
    if any(item.sdist_file for item in unavailable):
        from nixpy.analysis.sdists import with_sdist_facts

        unavailable = with_sdist_facts(unavailable, targets, analysis_options)
    return Analysis(wheels=_needs_of_wheels(locked, targets, analysis_options), unavailable=unavailable)


def _needs_of_wheels(locked: Locked, targets: Sequence[Target], analysis_options: AnalysisOptions) -> tuple[Wheel, ...]:
    """Return each wheel with its needs, in the same order.

    Needs in nixpy.lock are not looked up again.
    """
    # Needs that nixpy.lock has only from the wheel's tag are replaced by facts, if the wheel can be read now.
    known = [] if analysis_options.rescan else [wheel for wheel in analysis_options.known_wheels if not wheel.guessed]
    previous = {wheel.identity: wheel for wheel in known}
    # nixpy.lock has only the locked requirements of a wheel, for the extras in use. Other packages may change both.
    same = {wheel.identity for wheel in locked.wheels} == previous.keys() and (
        {(item.system, item.name) for item in locked.unavailable}
        == {(item.system, item.name) for item in analysis_options.known_unavailable}
    )
    again = analysis_options.metadata and not (same and all(wheel.requires is not None for wheel in known))
    facts = _gather(
        [wheel for wheel in locked.wheels if again or wheel.identity not in previous], targets, analysis_options
    )
    requires: dict[LockedWheel, Requires] = {}
    for target in targets if again else ():
        requires |= _requires(locked, facts, target, analysis_options.requirements)
    machines = {target.system: target.machine for target in targets}
    wheels = []
    for wheel in locked.wheels:
        before, found = previous.get(wheel.identity), requires.get(wheel)
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
    asked = unreached_modules(one for wheel in wheels for one in wheel.needs.opens)
    # nixpy.lock has only imports that mattered for the wheels in it.
    if asked - unreached_modules(one for wheel in known for one in wheel.needs.opens):
        lacking = [wheel for wheel in locked.wheels if wheel not in facts]
        facts |= _gather(lacking, targets, analysis_options) if lacking else {}
    return tuple(
        _with_imports(wheel, facts.get(item), asked) for wheel, item in zip(wheels, locked.wheels, strict=True)
    )


def _with_imports(wheel: Wheel, facts: WheelFacts | None, asked: Collection[str]) -> Wheel:
    """Return a wheel with those of the modules `asked` that it imports."""
    needs = wheel.needs
    names = needs.imports if facts is None or facts.known == "tag" else facts.imports
    imports = tuple(sorted(module for module in asked if any(below(name, module) for name in names)))
    return replace(wheel, needs=replace(needs, imports=imports)) if imports != needs.imports else wheel


def _requires(
    locked: Locked,
    facts: Mapping[LockedWheel, WheelFacts],
    target: Target,
    asked: Sequence[Requirement] | None,
) -> dict[LockedWheel, Requires]:
    """Return the locked packages that each wheel for `target` requires.

    Packages of a wheel that was not opened may be missing.
    """
    here = {wheel.name: wheel for wheel in locked.wheels if wheel.system == target.system}
    lines = {name: own for name, wheel in here.items() if (own := facts[wheel].requires) is not None}
    among = {*here, *(item.name for item in locked.unavailable if item.system == target.system)}
    # A wheel that was not opened may require any extra of other packages.
    found = required(lines, target.marker_environment(), among, asked if lines.keys() == here.keys() else None)
    return {here[name]: names for name, names in found.items()}


def _gather(
    wheels: Sequence[LockedWheel], targets: Sequence[Target], analysis_options: AnalysisOptions
) -> dict[LockedWheel, WheelFacts]:
    # `check` gathers nothing, so it does not import the modules that do.
    from nixpy.index.settings import IndexSettings
    from nixpy.wheels.cache import Cache
    from nixpy.wheels.gather import gather

    def locate(lacking: Sequence[LockedWheel]) -> dict[LockedWheel, WheelFile]:
        from nixpy.wheels.addresses import addresses

        found: dict[LockedWheel, WheelFile] = {}
        for target in targets:
            found |= addresses(
                [wheel for wheel in lacking if wheel.system == target.system], target, analysis_options.root
            )
        return found

    venv = analysis_options.venv or analysis_options.root / ".venv"
    return gather(
        wheels,
        venv=venv if (venv / "pyvenv.cfg").is_file() else None,
        index=IndexSettings.load(analysis_options.root).with_urls(analysis_options.index_urls),
        cache=Cache.default(),
        offline=analysis_options.offline,
        rescan=analysis_options.rescan,
        metadata=analysis_options.metadata,
        progress=analysis_options.progress,
        locate=locate,
    )


def _needs(wheel: LockedWheel, facts: WheelFacts, machine: int | None) -> Needs:
    needs = needs_of(wheel.name, facts, machine)
    if facts.known != "tag" or machine is None:
        return needs
    # Not opened: it may need every library that its tag lets a wheel leave out, so nixpy supplies them all.
    _, _, _, tags = parse_wheel_filename(wheel.file.filename)
    allowed = manylinux.allowed({tag.platform for tag in tags})
    return replace(needs, sonames=tuple((soname, wheel.file.filename) for soname in sorted(allowed)))
