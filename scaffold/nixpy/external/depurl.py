"""Parse external dependency specifiers (PEP 725).

Their form is `dep:type/namespace/name@version?qualifiers#subpath; marker`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import unquote

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from nixpy.core.errors import InputError

VIRTUAL = "virtual"
_NAMESPACES = ("compiler", "interface")  # of virtual dependencies (PEP 725, "Virtual package specification")
_OPERATORS = frozenset({">=", ">", "<", "<=", "=="})
_TYPE = re.compile(r"[a-z][a-z0-9.+-]*")
_NAME = re.compile(r"[^\s<>=!~,;:@\[\]]+")
_QUALIFIER = re.compile(r"([a-z][a-z0-9._-]*)=(.+)")
_LOWER = frozenset({"bitbucket", "github", "gitlab"})  # their owners and names are case-insensitive (package-URL types)
_SPELLING = "Write it like `dep:generic/openssl@>=3; sys_platform == 'linux'`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One specifier.

    `id` is the normalised `dep:type/namespace/name`; `qualified` is the same with qualifiers.

    `superseded` is the text as written, if it uses the spelling of an older draft.
    """

    id: str
    type: str
    name: str
    version: SpecifierSet
    qualifiers: str = ""
    marker: Marker | None = None
    superseded: str | None = None

    @property
    def qualified(self) -> str:
        """The id in a registry that distinguishes packages by their qualifiers."""
        return f"{self.id}?{self.qualifiers}" if self.qualifiers else self.id

    @property
    def bare(self) -> str:
        """The specifier without its marker."""
        return self.qualified.replace(self.id, f"{self.id}@{self._version}", 1) if self._version else self.qualified

    def __str__(self) -> str:
        """Return the specifier in its normalised spelling."""
        return f"{self.bare}; {self.marker}" if self.marker else self.bare

    @property
    def _version(self) -> str:
        listed = sorted_specifiers(self.version)
        return ",".join(one.version if len(listed) == 1 and one.operator == "==" else str(one) for one in listed)


def sorted_specifiers(version: SpecifierSet) -> list[Specifier]:
    """Return the specifiers of a version from the lowest to the highest."""
    return sorted(version, key=lambda one: (Version(one.version), one.operator))


def parse(text: str) -> Dependency:
    """Parse a specifier; NixpyError, without a place, if PEP 725 does not allow it.

    `pkg:generic/zlib` and `virtual:compiler/c`, from the first draft, are translated to their current form.
    """
    url, marker = _marker(text)
    scheme, colon, rest = url.partition(":")
    if not colon or scheme not in ("dep", "pkg", VIRTUAL):
        _wrong(text, "it does not begin with `dep:`")
    if scheme == VIRTUAL:
        rest = f"{VIRTUAL}/{rest}"
    rest, _, _ = rest.partition("#")  # a package set does not need the subpath
    rest, _, qualifiers = rest.partition("?")  # may contain an address, so it is removed before the path is split
    path, _, version = rest.rpartition("@") if "@" in rest else (rest, "", "")
    kind, *namespace, name = _segments(text, path)
    if kind == VIRTUAL and namespace not in [[one] for one in _NAMESPACES]:
        _wrong(text, "a virtual dependency must be a compiler or an interface", "Write `dep:virtual/compiler/c`.")
    if kind in _LOWER:
        namespace, name = [part.lower() for part in namespace], name.lower()
    return Dependency(
        id="dep:" + "/".join((kind, *namespace, canonicalize_name(name) if kind == "pypi" else name)),
        type=kind,
        name=name,
        version=_version(text, unquote(version)) if "@" in rest else SpecifierSet(),
        qualifiers=_qualifiers(text, qualifiers),
        marker=marker,
        superseded=None if scheme == "dep" else url,
    )


def _marker(text: str) -> tuple[str, Marker | None]:
    url, semicolon, marker = text.rpartition(";")
    if not semicolon:
        return text.strip(), None
    try:
        found = Marker(marker)
        found.evaluate({"extra": ""})
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName) as error:
        _wrong(text, f"the text after `;` is not a marker ({str(error).partition(chr(10))[0]})")
    return url.strip(), found


def _segments(text: str, path: str) -> list[str]:
    segments = path.strip("/").split("/")
    segments[0] = segments[0].lower()
    if len(segments) < 2 or not _TYPE.fullmatch(segments[0]):
        _wrong(text, "it has no type or no name")
    if not all(map(_NAME.fullmatch, segments[1:])):
        _wrong(
            text,
            "its name contains characters that are not allowed",
            "Write a version after `@`: `dep:generic/zlib@>=1.3`.",
        )
    return segments


def _version(text: str, version: str) -> SpecifierSet:
    if not version:
        _wrong(text, "there is no version after `@`")
    bare = not version.lstrip().startswith(("<", ">", "=", "!", "~"))
    try:
        found = SpecifierSet(f"=={version}" if bare else version)
    except InvalidSpecifier:
        _wrong(text, f"`{version}` is not a version", "Write `@1.3`, `@>=1.3` or `@>=1.3,<2`.")
    for one in found:
        if one.operator not in _OPERATORS or one.version.endswith("*"):
            _wrong(text, f"`{one}` is not allowed here", f"Use only {', '.join(sorted(_OPERATORS))}.")
    return found


def _qualifiers(text: str, qualifiers: str) -> str:
    pairs = qualifiers.split("&") if qualifiers else []
    if not all(map(_QUALIFIER.fullmatch, pairs)):
        _wrong(text, f"`{qualifiers}` are not qualifiers", "Write them as `?key=value&other=value`.")
    return "&".join(sorted(pairs))


def _wrong(text: str, why: str, hint: str = _SPELLING) -> NoReturn:
    raise InputError(f"`{text}` is not an external dependency: {why}", hint=hint)
