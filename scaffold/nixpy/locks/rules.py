"""Build rules for the values of a lock's document.

A rule is a function that raises DamagedError for a value that the tool of the lock refuses. The error has the place of
the value in the document.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

from nixpy.locks.validate import DamagedError

Rule = Callable[[object], None]


def whole_number(value: object) -> None:
    """Refuse all but whole numbers from 0."""
    if type(value) is not int or value < 0:
        raise DamagedError("is not a whole number from 0")


def string(value: object) -> None:
    """Refuse all but strings."""
    if not isinstance(value, str):
        raise DamagedError("is not a string")


def text(valid: Callable[[str], object], what: str) -> Rule:
    """Return the rule for strings of one form.

    `valid` returns False or raises ValueError for a string that is not `what`.
    """
    known: set[str] = set()  # locks repeat markers and names thousands of times

    def check(value: object) -> None:
        if not isinstance(value, str):
            raise DamagedError("is not a string")
        if value in known:
            return
        try:
            right = valid(value) is not False
        except ValueError:
            right = False
        if not right:
            raise DamagedError(f"is not {what}: `{value}`")
        known.add(value)

    return check


def each(rule: Rule) -> Rule:
    """Return the rule for lists with elements of one kind."""

    def check(value: object) -> None:
        if not isinstance(value, list):
            raise DamagedError("is not a list")
        for place, item in enumerate(value):
            inside(place, rule, item)

    return check


def table(rules: Mapping[str, Rule], required: Collection[str] = (), *, closed: bool = False) -> Rule:
    """Return the rule for tables; a `closed` one has no other keys."""

    def check(value: object) -> None:
        if not isinstance(value, dict):
            raise DamagedError("is not a table")
        if missing := next((key for key in required if key not in value), None):
            raise DamagedError(f"has no `{missing}`")
        for key, item in value.items():
            if rule := rules.get(key):
                inside(key, rule, item)
            elif closed:
                raise DamagedError(f"has the unknown key `{key}`")

    return check


def named(name: Rule, rule: Rule) -> Rule:
    """Return the rule for tables with free names."""

    def check(value: object) -> None:
        if not isinstance(value, dict):
            raise DamagedError("is not a table")
        for key, item in value.items():
            inside(key, name, key)
            inside(key, rule, item)

    return check


def inside(key: str | int, rule: Rule, value: object) -> None:
    """Apply a rule to the value at `key`.

    Raises DamagedError with the place of the value.
    """
    try:
        rule(value)
    except DamagedError as error:
        raise DamagedError(str(error), (key, *error.keys)) from None


@contextmanager
def at(*keys: str | int) -> Iterator[None]:
    """Add the place of a table to a DamagedError from the block."""
    try:
        yield
    except DamagedError as error:
        raise DamagedError(str(error), (*keys, *error.keys)) from None
