"""Parse names and tags of wheels, with a limit.

A few thousand characters can expand to millions of tags.
"""

from __future__ import annotations

from math import prod

from packaging import tags, utils
from packaging.tags import Tag
from packaging.utils import BuildTag, InvalidWheelFilename, NormalizedName
from packaging.version import Version

from nixpy.core import limits


def parse_wheel_filename(filename: str) -> tuple[NormalizedName, Version, BuildTag, frozenset[Tag]]:
    """Return name, version, build number and tags of a wheel file name.

    Source: binary distribution format.

    Raises InvalidWheelFilename if the name is invalid or expands to more tags than `limits.TAGS`.
    """
    if _count("-".join(filename.split("-")[-3:])) > limits.TAGS:
        raise InvalidWheelFilename("Invalid wheel filename (too many tags)")
    return utils.parse_wheel_filename(filename)


def parse_tag(text: str) -> frozenset[Tag]:
    """Return the tags of a compressed tag set (PEP 425).

    Raises ValueError if there are none or too many.
    """
    if _count(text) > limits.TAGS:
        raise ValueError("too many tags")
    return tags.parse_tag(text)


def _count(text: str) -> int:
    return prod(part.count(".") + 1 for part in text.split("-"))
