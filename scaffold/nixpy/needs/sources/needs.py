"""Group the attempts of an evaluation into needs.

A need has the names that the code tries for one library, in their order.

The first evaluation assumes that every attempt succeeds. In the next ones, those that the code can handle fail, so that
the attempts that follow are the alternatives. A failure that ends the code is left out of the following evaluations.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from nixpy.needs.sources.evaluation import Evaluation
from nixpy.needs.sources.machine import STEPS, Attempt, Key
from nixpy.needs.sources.package import Package
from nixpy.needs.sources.reach import Reach

EVALUATIONS = 40
"""Evaluations of one system. Each finds an alternative of all libraries, or one that the code cannot do without."""


@dataclass(slots=True, kw_only=True)
class Need:
    """One library with the attempts to open it."""

    attempts: list[Attempt] = field(default_factory=list)
    is_fatal: bool = False  # the code does not go on when all attempts fail

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the order of the attempts, each once."""
        return tuple(dict.fromkeys(name for attempt in self.attempts for name in attempt.key.names))

    @property
    def is_guarded(self) -> bool:
        """Whether the code may go on without the library, or may not open it."""
        handled = all(attempt.can_fail for attempt in self.attempts)
        return self.attempts[0].uncertain or (handled and not self.is_fatal)


Place = tuple[str, int, int, str]


@dataclass(frozen=True, slots=True)
class Failing:
    """The attempts that fail: those at some places, but for those that must succeed."""

    places: frozenset[Place]
    lasting: frozenset[Key]

    def __call__(self, key: Key, root: str) -> bool:
        """Return whether an attempt fails."""
        return _place(key, root) in self.places and key not in self.lasting


def needs_on(package: Package, reach: Reach, system: str, members: Collection[str]) -> tuple[tuple[Need, ...], bool]:
    """Return the needs of a package on a system.

    The names of files of the wheel are paths that begin with `./`. With the needs is whether the evaluation used the
    name of the processor.
    """
    needs: list[Need] = []
    by_key: dict[tuple[Key, str], Need] = {}
    places: set[Place] = set()  # where attempts fail
    lasting: set[Key] = set()  # keys that must succeed, since their failure ends the code
    used_machine = False
    steps = 3 * STEPS
    only: set[str] | None = None
    expected: set[object] = set()
    used: set[Key | None] = set()
    own: dict[Key, Need] = {}
    for _ in range(EVALUATIONS):
        evaluation = Evaluation(package, reach, system, members, Failing(frozenset(places), frozenset(lasting)))
        evaluation.left = min(steps, STEPS)
        evaluation.expected = frozenset(expected)
        evaluation.evaluate_all(only)
        steps -= STEPS - evaluation.left
        if only is None:
            expected, used = evaluation.ended, evaluation.used
        used_machine |= evaluation.used_machine
        for attempt in evaluation.own:
            own.setdefault(attempt.key, Need()).attempts.append(attempt)
        new = _group(evaluation.attempts, needs, by_key)
        for (key, _), need in by_key.items():
            need.is_fatal |= key in evaluation.fatal
        found = {_place(attempt.key, attempt.root) for attempt in evaluation.attempts if attempt.can_fail}
        if not new and not evaluation.fatal - lasting and found <= places:
            break
        lasting |= evaluation.fatal
        places |= found
        only = {attempt.root for need in needs for attempt in need.attempts if attempt.can_fail}
        if not only or steps <= 0:
            break
    return (*_without_unused(needs, used), *own.values()), used_machine


def _place(key: Key, root: str) -> Place:
    return key.path, key.line, key.column, root


def _group(attempts: list[Attempt], needs: list[Need], by_key: dict[tuple[Key, str], Need]) -> bool:
    """Add the attempts of an evaluation to the needs.

    Return whether one of them is new.
    """
    before: dict[str, Attempt] = {}  # the last attempt of each root
    is_new = False
    for attempt in attempts:
        key = (attempt.key, attempt.root)
        last = before.get(attempt.root)
        before[attempt.root] = attempt
        if key in by_key:
            continue
        is_new = True
        if attempt.after is not None:
            need = by_key.get((attempt.after, attempt.root))
        elif last is not None and last.failed:
            need = by_key[last.key, last.root]
        else:
            need = None
        if need is None:
            need = Need()
            needs.append(need)
        need.attempts.append(attempt)
        by_key[key] = need
    return is_new


def _without_unused(needs: list[Need], used: set[Key | None]) -> list[Need]:
    """Join needs of one place.

    There find_library looks for several libraries, and the code opens only some of them.
    """
    opened: dict[object, Need] = {}
    for need in needs:
        first = need.attempts[0]
        if first.key in used:
            opened.setdefault((_place(first.key, first.root), first.path, first.line), need)
    found = []
    for need in needs:
        first = need.attempts[0]
        other = opened.get((_place(first.key, first.root), first.path, first.line))
        if other is None or other is need or not first.find_library or first.key in used:
            found.append(need)
        else:
            other.attempts += need.attempts
            other.is_fatal |= need.is_fatal
    return found
