"""Report diagnostics with one cause in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from nixpy.diagnostics.diagnostic import Cause, Diagnostic, shorten

ITEMS, PACKAGES = "{items}", "{packages}"


class _Grouped(Protocol):
    @property
    def code(self) -> str: ...

    @property
    def cause(self) -> Cause | None: ...


T = TypeVar("T", bound=_Grouped)


def group(diagnostics: Iterable[T], merge: Callable[[Sequence[T], str, str | None], T]) -> tuple[T, ...]:
    """Return the diagnostics, those of one cause as one.

    Args:
        diagnostics: The diagnostics. Their order stays; the first one of a group gives its position.
        merge: A function from a group, its message without `{items}`, and its hint to one diagnostic.
    """
    groups: dict[object, list[T]] = {}
    for number, one in enumerate(diagnostics):
        key = (one.code, one.cause.message, one.cause.hint) if one.cause else number
        groups.setdefault(key, []).append(one)
    return tuple(_merged(found, merge) for found in groups.values())


def _merged(found: Sequence[T], merge: Callable[[Sequence[T], str, str | None], T]) -> T:
    causes = list(dict.fromkeys(one.cause for one in found if one.cause))
    items = list(dict.fromkeys(cause.item for cause in causes))
    if len(items) < 2:
        return found[0]
    return merge(found, causes[0].message.replace(ITEMS, shorten(items)), causes[0].hint)


def in_groups(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of `init`, `sync` and `scan`, those of one cause as one.

    >>> in_groups(())
    ()
    """
    return group(diagnostics, lambda found, message, hint: replace(found[0], message=message, hint=hint, cause=None))
