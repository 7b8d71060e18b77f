"""Poetry's version constraints (`^1.2`, `~1`, `>=3.8 <4 || 5.*`) as PEP 440 has them (poetry-core's constraints)."""

from __future__ import annotations

import re
from collections.abc import Callable

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from nixpy.locks.validate import DamagedError

_GAP = re.compile(r"(?<=[<>=!~^])\s+")


def alternatives(constraint: str) -> tuple[SpecifierSet, ...]:
    """Return the sets of which one must contain a version; DamagedError for what is no constraint."""
    try:
        return tuple(map(_specifiers, (part.strip() for part in re.split(r"\|\|?", constraint))))
    except (InvalidSpecifier, InvalidVersion) as error:
        raise DamagedError(f"`{constraint}` is not a constraint of Poetry: {error}") from None


def allows(constraint: str, version: str) -> bool:
    """Return whether a constraint admits a version, also a pre-release, as a lock may have one."""
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
    """Return which number must not change: the first that is not zero, or the last."""
    return next((place for place, number in enumerate(release) if number), len(release) - 1)


def _up_to(text: str, fixed: Callable[[tuple[int, ...]], int]) -> str:
    version = Version(text)
    place = fixed(version.release)
    last = (*version.release[:place], version.release[place] + 1)
    return f">={version},<{version.epoch}!{'.'.join(map(str, last))}"
