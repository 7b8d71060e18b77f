"""Select the wheel file of each locked package on every target.

It is the file that an installer takes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from packaging.tags import Tag
from packaging.utils import BuildTag, InvalidWheelFilename

from nixpy.core.target import Target, tag_ranks
from nixpy.core.wheel_name import parse_wheel_filename
from nixpy.locks.model import ExtrasAndGroups, Lock, Locked, LockedWheel, Package, SdistFacts, Unavailable, WheelFile
from nixpy.locks.source_tree import source_facts


def select(lock: Lock, targets: Sequence[Target], extras_and_groups: ExtrasAndGroups) -> Locked:
    """Return the wheels that `lock` installs on `targets`.

    With them are the packages without a wheel there.

    nixpy chooses the wheel with the best tag, and of equal ones that with the highest build number (binary distribution
    format, "Build number"). Packages that are installed in place are left out unless their build compiles files, and so
    are files with names that cannot be parsed (variants of PEP 817, which also have a plain wheel) and wheels for musl.
    """
    wheels: list[LockedWheel] = []
    unavailable: list[Unavailable] = []
    own = getattr(lock, "root", lock.path.parent)
    facts: dict[Path, SdistFacts | None] = {}
    for target in targets:
        for package in lock.packages(target, extras_and_groups):
            folder = package.folder
            if package.local and (folder is None or _is_same(folder, own)):
                continue
            if folder and folder not in facts:
                facts[folder] = source_facts(folder)
            built = facts[folder] if folder else None
            if package.local and not (built and built.compiled):
                continue
            best = best_wheel(package, target)
            if best is None:
                unavailable.append(
                    Unavailable(
                        system=target.system,
                        name=package.name,
                        version=package.version,
                        sdist=package.sdist,
                        sdist_file=package.sdist_file,
                        sdist_facts=built,
                        source="folder" if folder else "repository" if package.repository else None,
                    )
                )
                continue
            file, version = best
            wheels.append(
                LockedWheel(system=target.system, name=package.name, version=package.version or version, file=file)
            )
    return Locked(
        wheels=tuple(sorted(wheels, key=lambda wheel: (wheel.system, wheel.name))),
        unavailable=tuple(sorted(unavailable, key=lambda package: (package.system, package.name))),
    )


def _is_same(one: Path, other: Path) -> bool:
    return os.path.normpath(one) == os.path.normpath(other)


def best_wheel(package: Package, target: Target) -> tuple[WheelFile, str] | None:
    """Return the wheel of `package` that an installer takes on `target`.

    With it is its version. Returns None if no wheel fits.
    """
    ranks = tag_ranks(target)
    best: tuple[tuple[int, BuildTag], WheelFile, str] | None = None
    for file in sorted(package.wheels, key=lambda wheel: wheel.filename):
        parsed = _parse(file.filename) if _may_fit(file.filename, target) else None
        if parsed is None:
            continue
        version, build, tags = parsed
        rank = min((ranks[tag] for tag in tags if tag in ranks), default=None)
        if rank is not None and (best is None or (-rank, build) > best[0]):
            best = (-rank, build), file, version
    return best and best[1:]


def _may_fit(filename: str, target: Target) -> bool:
    """Return False quickly for a wheel that cannot fit.

    Most wheels of a lock are for other systems and Pythons.
    """
    stem, _, platforms = filename.removesuffix(".whl").rpartition("-")
    stem, _, _abis = stem.rpartition("-")
    pythons = stem.rpartition("-")[2]
    known = _words(target)
    return not known.isdisjoint(platforms.lower().split(".")) and not known.isdisjoint(pythons.lower().split("."))


@cache
def _words(target: Target) -> frozenset[str]:
    return frozenset(word for tag in tag_ranks(target) for word in (tag.platform, tag.interpreter))


@cache
def _parse(filename: str) -> tuple[str, BuildTag, frozenset[Tag]] | None:
    try:
        _, version, build, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return None
    return str(version), build, tags
