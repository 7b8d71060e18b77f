"""Define diagnostics, and format lists of names.

nixpy reports diagnostics without stopping.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

_NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The text for several diagnostics of one cause.

    A report replaces `{items}` in `message` by the items of all of them, such as sonames, and `{packages}` by packages.
    Diagnostics with the same message and hint have one cause.
    """

    item: str
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Diagnostic:
    """One diagnostic.

    `code` is stable (NIX101 …); `package` is the wheel it is about, if any, `hint` the remedy. A `note` is not about a
    fault. With a `cause`, a report has one line for all diagnostics of the same cause. `feature` is the feature that is
    the remedy: `init` enables it in a project that nixpy does not manage yet.
    """

    code: str
    package: str | None = None
    message: str
    hint: str | None = None
    level: Literal["warning", "note"] = "warning"
    cause: Cause | None = field(default=None, compare=False, repr=False)
    feature: str | None = field(default=None, compare=False, repr=False)


def order(diagnostic: Diagnostic) -> tuple[str, bool, str, str]:
    """Return the key to sort diagnostics by: first the code.

    Of one code, those without a hint come first: they have no remedy, and a report may show only the first ones.
    """
    return diagnostic.code, diagnostic.hint is not None, diagnostic.package or "", diagnostic.message


def shorten(names: Sequence[str], unopened: frozenset[str] = frozenset(), *, shown: int | None = None) -> str:
    """Shorten a list of names to three or to `shown`.

    An example is `numpy, pandas (not opened), pillow and 4 more`.
    """
    limit = shown or _NAMES_SHOWN
    first = ", ".join(f"{name} (not opened)" if name in unopened else name for name in names[:limit])
    more = len(names) - limit
    return f"{first} and {more} more" if more > 0 else first


def with_hint(message: str, hint: str | None) -> str:
    """Return a message and its hint as one text.

    It has two sentences, or one if the hint is not a sentence.
    """
    if not hint:
        return message
    return f"{message}; {hint}" if hint[0].islower() else f"{message}. {hint}"


def counted(number: int, noun: str) -> str:
    """Return a number with a noun: `1 wheel`, `2 wheels`, `2 libraries`."""
    plural = f"{noun.removesuffix('y')}ies" if noun.endswith("ry") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


def bring_programs(names: Sequence[str]) -> str:
    """Return the start of a sentence about wheels that contain programs."""
    return f"{shorten(names)} {'contains' if len(names) == 1 else 'contain'} programs"
