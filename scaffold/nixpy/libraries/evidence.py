"""Define how it is known that wheels need a library, and decide what is supplied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from nixpy.needs.model import Certainty, Evidence

Runtime = Literal["likely", "certain", "none"]
"""Which libraries that packages open at run time are supplied."""

_KINDS: tuple[Evidence, ...] = ("linked", "note", "source", "strings", "table")  # the strongest first
_CERTAINTIES: tuple[Certainty, ...] = ("certain", "likely", "possible")


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryEvidence:
    """One fact that shows that a wheel needs a library.

    `linked` is `certain` if the wheel requires the library, `likely` if only files do that it opens at run time, and
    `possible` if only a part of it does that the wheel works without. `path` is the file in the wheel; a row of a table
    has none, and only a source has a `line`. `names` are those that the code tries, if it opens the library; with
    `find_library`, it tries no name with a version. If it is `imported`, the code is in a part of the package that the
    project, or another package, imports itself.
    """

    kind: Evidence
    certainty: Certainty
    package: str
    path: str | None = None
    line: int | None = None
    names: tuple[str, ...] = ()
    find_library: bool = False
    imported: bool = False

    @property
    def opened(self) -> bool:
        """Whether the package opens the library, or may open it, at run time."""
        return self.kind != "linked"

    @property
    def place(self) -> str:
        """The file, with the line if it is known; empty without a file."""
        return f"{self.path or ''}:{self.line}" if self.line is not None else self.path or ""


def strongest_first(evidence: Iterable[LibraryEvidence]) -> tuple[LibraryEvidence, ...]:
    """Sort evidence: by certainty and kind, the strongest first, then by place."""
    return tuple(
        sorted(
            evidence,
            key=lambda one: (
                _CERTAINTIES.index(one.certainty),
                _KINDS.index(one.kind),
                one.package,
                one.path or "",
                one.line or 0,
                one.names,
                one.find_library,
                one.imported,
            ),
        )
    )


def is_wanted(one: LibraryEvidence, *, runtime: Runtime, optional: bool, affordable: bool) -> bool:
    """Return whether the library is supplied because of this evidence.

    Args:
        one: The evidence.
        runtime: Which libraries that packages open are supplied.
        optional: Whether the libraries that only optional parts of packages link to are supplied.
        affordable: Whether the library has a supplier and is not large. A library that code opens, but not certainly,
            must be so. A row of `dlopen.csv` shows that the main work of the package needs the library, so
            such a library may be large, and so may one of a part of the package that is imported by itself.
    """
    if not one.opened and (optional or one.certainty == "certain"):
        return True
    if one.certainty == "certain":
        return runtime != "none"
    return one.certainty == "likely" and runtime == "likely" and (affordable or one.kind == "table" or one.imported)


@dataclass(slots=True)
class Demand:
    """The wheels, settings and policies that need one library on one system.

    `required` are those that need it by default, `optional` the others. `wanted` says whether the settings leave it in.
    """

    required: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)
    evidence: set[LibraryEvidence] = field(default_factory=set)
    wanted: bool = False

    def require(self, name: str) -> None:
        """Add a setting, a policy, or a wheel without files that show its needs."""
        self.required.add(name)
        self.wanted = True

    def add(self, one: LibraryEvidence, *, runtime: Runtime, optional: bool, affordable: bool) -> None:
        """Add evidence of a wheel, under these settings."""
        default = is_wanted(one, runtime="likely", optional=False, affordable=affordable)
        (self.required if default else self.optional).add(one.package)
        self.evidence.add(one)
        if is_wanted(one, runtime=runtime, optional=optional, affordable=affordable):
            self.wanted = True
