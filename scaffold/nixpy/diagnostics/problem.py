"""What nixpy noticed and the user should know: reported, never fatal; and the words for who is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One finding. `code` is stable (NIX101 …), `package` the wheel or soname's needer it is about, if any."""

    code: str
    package: str | None = None
    message: str
    hint: str | None = None


def reason(names: Sequence[str], unopened: frozenset[str] = frozenset()) -> str:
    """Return who asks, in few words: `numpy, pandas (not opened), pillow and 4 more`."""
    shown = ", ".join(f"{name} (not opened)" if name in unopened else name for name in names[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def counted(number: int, noun: str) -> str:
    """Return how many of a thing there are: `1 wheel`, `2 wheels`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def bring_programs(names: Sequence[str]) -> str:
    """Return that the wheels `names` contain programs, as the first words of a sentence."""
    return f"{reason(names)} {'brings' if len(names) == 1 else 'bring'} programs"
