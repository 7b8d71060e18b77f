"""Define the interface for the members of a wheel.

The wheel is on disk, on an index, or installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from mmap import mmap
from typing import Protocol

Content = bytes | mmap
"""A file's bytes; a large one is mapped rather than held in memory."""


EXECUTE_BITS = 0o111


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a wheel.

    `path` is its path in the wheel, `size` its size in bytes; an execute bit may be set.
    """

    path: str
    size: int
    executable: bool


class Archive(Protocol):
    """A wheel with readable members."""

    def members(self) -> Sequence[Member]:
        """Return every file of the wheel (no folders)."""

    def head(self, path: str, size: int) -> bytes:
        """Return the first `size` bytes of a member, or fewer if it is shorter."""

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, Content]]:
        """Yield each of `paths` with its bytes; a remote wheel may fetch them together."""
