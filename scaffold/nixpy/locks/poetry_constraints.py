"""Translate Poetry's version constraints into PEP 440 specifiers.

Constraints are `^1.2`, `~1` and `>=3.8 <4 || 5.*`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from nixpy.locks.validate import DamagedError

_GAP = re.compile(r"(?<=[<>=!~^])\s+")


def alternatives(constraint: str) -> tuple[SpecifierSet, ...]:
    """Return specifier sets; a version must be in one of them.

    Raises DamagedError for an invalid constraint.
    """
    try:
        return tuple(map(_specifiers, (part.strip() for part in re.split(r"\|\|?", constraint))))
    except (InvalidSpecifier, InvalidVersion) as error:
        raise DamagedError(f"`{constraint}` is not a constraint of Poetry: {error}") from None


def allows(constraint: str, version: str) -> bool:
    """Return whether a constraint allows a version.

    Pre-releases count, since a lock may have them.
    """
    return any(specifiers.contains(version, prereleases=True) for specifiers in alternatives(constraint))


def _specifiers(text: str) -> SpecifierSet:
    return SpecifierSet(
        ",".join(_one(part) for part in re.split(r"[,\s]+", _GAP.sub("", text)) if part not in ("", "*"))
    )


def _one(text: str) -> str:
    if text[0] == "^":
        return _up_to(text[1:], _caret)
    if text[0] == "~" and not text.startswith("~="):
        return _up_to(text[1:], lambda release: min(1, len(release) - 1))
    if text[0] == "=" and not text.startswith("=="):
        return f"={text}"
    return text if text[0] in "<>=!~" else f"=={text}"


def _caret(release: tuple[int, ...]) -> int:
    """Return the index of the number in a release that must not change.

    It is the first that is not zero, or the last.
    """
    return next((place for place, number in enumerate(release) if number), len(release) - 1)


def _up_to(text: str, fixed: Callable[[tuple[int, ...]], int]) -> str:
    version = Version(text)
    place = fixed(version.release)
    last = (*version.release[:place], version.release[place] + 1)
    return f">={version},<{version.epoch}!{'.'.join(map(str, last))}"
