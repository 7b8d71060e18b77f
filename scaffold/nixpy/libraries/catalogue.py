"""Read the tables of sonames: the provider of each, and its nixpkgs expression.

`sonames.csv` has one row for each soname; `patterns.csv` has regular expressions for families of them. A row wins
over a pattern, and the first matching pattern wins over later ones.

An expression must evaluate without a warning on every nixpkgs release that nixpy supports, and the library
must be at `${lib.getLib <expression>}/lib/<soname>`. If an attribute was renamed, the new name comes
first: `(pkgs.libx11 or pkgs.xorg.libX11)`; Nix does not evaluate the rest if the first attribute exists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Literal, cast

from nixpy.core.csv_table import bad_row, rows
from nixpy.needs.glibc import is_glibc
from nixpy.nixpkgs.expression import attributes

Provider = Literal["glibc", "nixpkgs", "sibling-wheel", "host-driver", "none"]
"""Who supplies a soname: the glibc of the interpreter; a package of nixpkgs; another wheel of the same lock; the host,
because the library must match its kernel driver; no provider."""

_TABLE_PROVIDERS = ("host-driver", "nixpkgs", "none", "sibling-wheel")
_SONAMES = Path(__file__).with_name("sonames.csv")
_PATTERNS = Path(__file__).with_name("patterns.csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class SonameEntry:
    """A soname and its provider.

    Only provider `nixpkgs` has an `expression` and its first `attribute` path (`libx11`). With `darwin` the package
    is for macOS, too. `note` is for messages: for `sibling-wheel` it names the packages that contain the library, for
    `none` the reason why no package does.
    """

    soname: str
    provider: Provider
    expression: str | None = None
    attribute: str | None = None
    note: str = ""
    darwin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    r"""A family of sonames; `expression` may refer to groups of `regex` (`pkgs.icu\1`)."""

    regex: re.Pattern[str]
    provider: Provider
    expression: str | None
    note: str

    def entry(self, soname: str) -> SonameEntry | None:
        """Return the entry of `soname`, or None if it does not belong to the family."""
        match = self.regex.fullmatch(soname)
        if match is None:
            return None
        expression = match.expand(self.expression) if self.expression else None
        attribute = attributes(expression)[0] if expression else None
        return SonameEntry(
            soname=soname, provider=self.provider, expression=expression, attribute=attribute, note=self.note
        )


class Catalogue:
    """Every soname that nixpy knows."""

    def __init__(self, sonames: Path = _SONAMES, patterns: Path = _PATTERNS) -> None:
        """Use these two tables; each is read when it is first needed."""
        self._sonames = sonames
        self._patterns = patterns

    @cached_property
    def entries(self) -> Mapping[str, SonameEntry]:
        """The rows of `sonames.csv`, by soname; NixpyError if one is malformed."""
        return load_sonames(self._sonames)

    @cached_property
    def patterns(self) -> tuple[Pattern, ...]:
        """The rows of `patterns.csv`, in order; NixpyError if one is malformed."""
        return load_patterns(self._patterns)

    @cached_property
    def _versions(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for soname in self.entries:
            name, dot, version = soname.partition(".so.")
            if version:
                name += dot.removesuffix(".")
                found[name] = (*found.get(name, ()), soname)
        return found

    def versions(self, name: str) -> tuple[str, ...]:
        """Return the sonames of a library from its file name without a version.

        An example of a name is `libz.so`. Those of patterns are not among them.
        """
        return self._versions.get(name, ())

    def find(self, soname: str) -> SonameEntry | None:
        """Return the entry of `soname`, or None.

        It is that of glibc, else its row, else that of the first matching pattern.
        """
        if is_glibc(soname):
            return SonameEntry(soname=soname, provider="glibc", note="comes with the interpreter")
        if entry := self.entries.get(soname):
            return entry
        return next((entry for pattern in self.patterns if (entry := pattern.entry(soname))), None)


@cache
def catalogue() -> Catalogue:
    """Return the catalogue that nixpy ships; it is read once per process."""
    return Catalogue()


def load_sonames(path: Path) -> dict[str, SonameEntry]:
    """Return the rows of a table of sonames, by soname.

    Columns: soname, provider, expression, darwin (`yes` or empty), note. Raises NixpyError, with the line, for the
    first row that is malformed, out of order or a duplicate.
    """
    entries: dict[str, SonameEntry] = {}
    columns = ("soname", "provider", "expression", "darwin", "note")
    for line, (soname, provider, expression, darwin, note) in rows(path, *columns):
        if not re.fullmatch(r"[^\s/]+", soname):
            raise bad_row(path, line, f"{soname!r} is not a soname", "Write the bare name, such as libz.so.1.")
        if is_glibc(soname):
            raise bad_row(path, line, f"{soname} is part of glibc", "Remove the row: nixpy/needs/glibc.py covers it.")
        if darwin not in ("", "yes"):
            raise bad_row(path, line, f"darwin is {darwin!r}", "Write yes or leave it empty.")
        entries[soname] = SonameEntry(
            soname=soname,
            provider=_provider(path, line, provider, expression, note),
            expression=expression or None,
            attribute=_attributes(path, line, expression)[0] if expression else None,
            note=note,
            darwin=darwin == "yes",
        )
    return entries


def load_patterns(path: Path) -> tuple[Pattern, ...]:
    """Return the rows of a table of patterns, in order.

    Columns: regex, provider, expression, note. Raises NixpyError, with the line, for the first malformed row.
    """
    patterns: list[Pattern] = []
    for line, (text, provider, expression, note) in rows(path, "regex", "provider", "expression", "note", keys=0):
        if not (text.startswith("^") and text.endswith("$")):
            raise bad_row(path, line, f"{text} matches parts of a name", "Begin it with ^ and end it with $.")
        try:
            regex = re.compile(text)
        except re.error as error:
            raise bad_row(
                path, line, f"{text} is not a regular expression: {error}", "Correct the expression."
            ) from error
        if expression:
            groups = [int(group) for group in re.findall(r"\\(\d)", expression)]
            if any(group not in range(1, regex.groups + 1) for group in groups):
                raise bad_row(
                    path,
                    line,
                    f"{expression} refers to a group that does not exist",
                    "Correct the number of the group.",
                )
            _attributes(path, line, re.sub(r"\\\d", "0", expression))
        known = _provider(path, line, provider, expression, note)
        patterns.append(Pattern(regex=regex, provider=known, expression=expression or None, note=note))
    return tuple(patterns)


def _provider(path: Path, line: int, provider: str, expression: str, note: str) -> Provider:
    if provider not in _TABLE_PROVIDERS:
        raise bad_row(path, line, f"unknown provider {provider!r}", f"Use {', '.join(_TABLE_PROVIDERS)}.")
    if (provider == "nixpkgs") != bool(expression):
        raise bad_row(
            path,
            line,
            f"provider {provider}, expression {expression!r}",
            "Only the provider nixpkgs has an expression.",
        )
    if provider in ("none", "sibling-wheel") and not note:
        raise bad_row(
            path, line, f"provider {provider} without a note", "Say who ships the library, or why it has no provider."
        )
    return cast("Provider", provider)


def _attributes(path: Path, line: int, expression: str) -> tuple[str, ...]:
    try:
        return attributes(expression)
    except ValueError as error:
        raise bad_row(path, line, str(error), "Write pkgs.a.b or (pkgs.a.b or pkgs.c).") from error
