"""The names of wheels and their tags, read with a limit: a few thousand characters can stand for millions of tags."""

from __future__ import annotations

from math import prod

from packaging import tags, utils
from packaging.tags import Tag
from packaging.utils import BuildTag, InvalidWheelFilename, NormalizedName
from packaging.version import Version

from nixpy.core import limits


def parse_wheel_filename(filename: str) -> tuple[NormalizedName, Version, BuildTag, frozenset[Tag]]:
    """Return name, version, build number and tags of a wheel (binary distribution format).

    Raises InvalidWheelFilename for what is no such name, or stands for more tags than `limits.TAGS`.
    """
    if _count("-".join(filename.split("-")[-3:])) > limits.TAGS:
        raise InvalidWheelFilename("Invalid wheel filename (too many tags)")
    return utils.parse_wheel_filename(filename)


def parse_tag(text: str) -> frozenset[Tag]:
    """Return the tags that a compressed tag set stands for (PEP 425); ValueError for none, or for too many."""
    if _count(text) > limits.TAGS:
        raise ValueError("too many tags")
    return tags.parse_tag(text)


def _count(text: str) -> int:
    return prod(part.count(".") + 1 for part in text.split("-"))
