"""Compare the analysis in nixpy.lock with that of a plan: the changes of `sync`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from nixpy.analysis.nixpylock import NixpyLock, Wheel, wheel_needs
from nixpy.commands.plan import Plan
from nixpy.files.reconcile import Comparison, State
from nixpy.libraries.match import Rules, match


def changes(plan: Plan, comparisons: Iterable[Comparison]) -> tuple[str, ...]:
    """Return the changes of a plan in words.

    These are packages, libraries, Python, nixpkgs and systems.

    Args:
        plan: The plan, as `plan_files` returned it; `plan.before` is the old content of nixpy.lock.
        comparisons: The comparisons of its files with the disk before they were written.

    Returns:
        One text for each change, empty if every file is up to date. A package that is not in nixpy.lock, because
        its wheels cannot change the Nix files, is not among them.
    """
    states = {comparison.state for comparison in comparisons}
    if states <= {State.FRESH}:
        return ()
    if plan.before is None:
        return ("first analysis",)
    found = (
        *_choices(plan.before, plan.nixpy_lock),
        *_packages(plan.before, plan.nixpy_lock),
        *_libraries(plan.before, plan.nixpy_lock, plan.project.settings.libraries),
    )
    if found:
        return found
    if states <= {State.FRESH, State.OLDER}:
        return ("the Nix functions are those of this nixpy",)
    if plan.before.inputs != plan.nixpy_lock.inputs:
        return ("the requirements changed; packages and libraries are the same",)
    return ("the settings or nixpy changed; packages and libraries are the same",)


def _choices(before: NixpyLock, now: NixpyLock) -> Iterator[str]:
    for name, old, new in (("Python", before.python, now.python), ("nixpkgs", before.release, now.release)):
        if old != new:
            yield f"{name} {old} -> {new}"
    yield from _signed(dict.fromkeys(before.systems, ""), dict.fromkeys(now.systems, ""))


def _packages(before: NixpyLock, now: NixpyLock) -> Iterator[str]:
    """Yield the packages that are new, removed, or have other wheels."""
    old, new = _by_name(before.wheels), _by_name(now.wheels)
    for name in sorted(old.keys() & new.keys()):
        (old_versions, old_files), (new_versions, new_files) = old[name], new[name]
        if old_versions != new_versions:
            yield f"{name} {old_versions} -> {new_versions}"
        elif old_files != new_files and before.systems == now.systems:
            yield f"{name} {new_versions}: other wheel files"
    yield from _signed({name: one[0] for name, one in old.items()}, {name: one[0] for name, one in new.items()})


def _by_name(wheels: Iterable[Wheel]) -> dict[str, tuple[str, frozenset[object]]]:
    """Return the versions of each package in words, and its files."""
    ordered = sorted(wheels, key=lambda wheel: (wheel.name, wheel.version))
    groups = {name: tuple(group) for name, group in groupby(ordered, key=lambda wheel: wheel.name)}
    return {
        name: (" and ".join(dict.fromkeys(wheel.version for wheel in group)), frozenset(w.identity for w in group))
        for name, group in groups.items()
    }


def _libraries(before: NixpyLock, now: NixpyLock, rules: Rules) -> Iterator[str]:
    return _signed(_supplied(before, rules), _supplied(now, rules))


def _supplied(nixpy_lock: NixpyLock, rules: Rules) -> dict[str, str]:
    """Return the sonames that nixpkgs supplies, each with its expression."""
    asking = wheel_needs(nixpy_lock.wheels, nixpy_lock.unavailable)
    found, _ = match(asking, rules, nixpy_lock.systems, imported=nixpy_lock.imported)
    return {
        library.soname: f"from {library.expression}"
        for library in found
        if library.provider == "nixpkgs" and library.wanted
    }


def _signed(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """Yield new and removed items, each with a sign, its name and its details."""
    for sign, names, known in (("+", new.keys() - old.keys(), new), ("-", old.keys() - new.keys(), old)):
        for name in sorted(names):
            yield f"{sign} {name} {known[name]}".rstrip()
