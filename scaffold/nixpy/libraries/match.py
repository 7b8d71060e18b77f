"""Match the sonames that the wheels of a lock need with the libraries that supply them.

Other wheels of the lock come first: a soname that one of them ships is never put on a path,
since the path could shadow it (ld.so(8) searches LD_LIBRARY_PATH before DT_RUNPATH). Then come the user's own
rules, then the catalogue.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from packaging.utils import InvalidWheelFilename, NormalizedName

from nixpy.core.errors import SettingError
from nixpy.core.wheel_name import parse_wheel_filename
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.libraries import manylinux
from nixpy.libraries.catalogue import Provider, SonameEntry, catalogue
from nixpy.needs.dlopen import brought_by
from nixpy.needs.glibc import is_glibc
from nixpy.needs.model import Needs
from nixpy.nixpkgs.expression import attributes

ADDED = "[tool.nixpy]"
"""The entry of `needed_by` that means the settings, which add a library that no wheel needs."""

_SETTING = "[tool.nixpy.libraries]"
_SONAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+~@-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the user set in `[tool.nixpy.libraries]`. `optional` is for the renderer; it does not change the match."""

    mode: Literal["exact", "manylinux"] = "exact"
    """`exact` supplies what the wheels need; `manylinux` also all that the policy of their tags lets them leave out."""
    optional: bool = False
    """`true` also supplies what only optional parts of packages need."""
    map: Mapping[str, str] = field(default_factory=dict)
    """Who supplies a soname: an attribute path of nixpkgs (`zlib`) or an expression (`(pkgs.a or pkgs.b)`). It beats
    the catalogue.
    """
    add: tuple[str, ...] = ()
    """Sonames that are supplied on Linux although no wheel needs them."""
    ignore: tuple[str, ...] = ()
    """Sonames that are left out, even if a wheel needs them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One soname, its provider, the wheels that need it, and the systems.

    `provider` is `nixpkgs` (which alone has `attribute` and `expression`), `sibling-wheel`, `host-driver` or
    `none`. `needed_by` are the wheels that require it, or, where nobody does (`optional`), those that could
    use it; `[tool.nixpy]` stands there for the user, `manylinux_2_17` for a policy's set. Tuples are sorted.
    """

    soname: str
    provider: Provider
    attribute: str | None
    expression: str | None
    needed_by: tuple[str, ...]
    optional: bool
    systems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelNeeds:
    """One wheel of the lock on one system, and what it needs there."""

    system: str
    name: NormalizedName
    filename: str
    needs: Needs


@dataclass(slots=True)
class _Ask:
    """Who asks for one soname on one system: wheel names and stand-ins."""

    required: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)


def match(
    wheels: Iterable[WheelNeeds],
    rules: Rules | None = None,
    systems: Sequence[str] = (),
    entries: Mapping[str, SonameEntry] | None = None,
) -> tuple[tuple[Library, ...], tuple[Diagnostic, ...]]:
    """Return the libraries that the wheels need on `systems` and on their own systems, and diagnostics.

    Libraries are sorted by soname, then provider; systems with the same library share one. glibc's own are
    never among them. On Darwin, whose wheels carry their libraries, only names opened at run time are
    answered, with packages that exist there. `entries` answer before the catalogue and after the rules.
    Diagnostics, for required sonames only: NIX101 it is unknown, NIX102 nixpkgs lacks it, NIX103 only a
    package that the lock lacks ships it. NixpyError where a rule is wrong.
    """
    rules = rules or Rules()
    mapped = {**(entries or {}), **user_entries(rules)}
    members: dict[str, list[WheelNeeds]] = {system: [] for system in systems}
    for wheel in wheels:
        members.setdefault(wheel.system, []).append(wheel)
    merged: dict[tuple[SonameEntry, bool], dict[str, set[str]]] = defaultdict(dict)
    for system, group in members.items():
        darwin = system.endswith("-darwin")
        shipped = {soname for wheel in group for soname in wheel.needs.provides}
        for soname, ask in _asks(group, rules, darwin=darwin).items():
            entry = SonameEntry(soname=soname, provider="sibling-wheel") if soname in shipped else mapped.get(soname)
            entry = entry or _known(soname, darwin=darwin)
            if entry:
                merged[entry, not ask.required][system] = ask.required or ask.optional
    libraries = sorted((_library(*key, where) for key, where in merged.items()), key=_order)
    diagnostics = [diagnostic for key, where in merged.items() for diagnostic in _diagnostics(*key, where)]
    return tuple(libraries), tuple(sorted(diagnostics, key=lambda diagnostic: (diagnostic.code, diagnostic.message)))


def _asks(wheels: Iterable[WheelNeeds], rules: Rules, *, darwin: bool) -> dict[str, _Ask]:
    """Return who asks for each soname on one system, glibc's and the ignored ones left out."""
    asks: dict[str, _Ask] = defaultdict(_Ask)
    wheels = tuple(wheels)
    names = {wheel.name for wheel in wheels}
    for wheel in wheels:
        for soname in wheel.needs.dlopen:
            if names.isdisjoint(brought_by(wheel.name, soname)):
                asks[soname].required.add(wheel.name)
        if darwin:
            continue
        for soname, _ in wheel.needs.sonames:
            ask = asks[soname]
            (ask.optional if soname in wheel.needs.optional else ask.required).add(wheel.name)
        if rules.mode == "manylinux":
            for policy, soname in _promised(wheel.filename):
                asks[soname].required.add(policy)
    for soname in () if darwin else rules.add:
        asks[soname].required.add(ADDED)
    return {soname: ask for soname, ask in asks.items() if not is_glibc(soname) and soname not in rules.ignore}


def _promised(filename: str) -> Iterator[tuple[str, str]]:
    """Yield policy and soname for everything that the tags of a wheel let it leave out."""
    try:
        platforms = [tag.platform for tag in parse_wheel_filename(filename)[3]]
    except InvalidWheelFilename:  # a name that says nothing promises nothing
        return
    if policy := manylinux.policy(platforms):
        for soname in manylinux.allowed(platforms):
            yield policy, soname


def _known(soname: str, *, darwin: bool) -> SonameEntry | None:
    """Return what the catalogue says, an entry without a note where it says nothing, None to keep quiet."""
    entry = catalogue().find(soname) or SonameEntry(soname=soname, provider="none")
    return entry if entry.darwin or not darwin else None


def _library(entry: SonameEntry, optional: bool, where: Mapping[str, set[str]]) -> Library:
    return Library(
        soname=entry.soname,
        provider="none" if _outside(entry) else entry.provider,
        attribute=entry.attribute,
        expression=entry.expression,
        needed_by=tuple(sorted(set().union(*where.values()))),
        optional=optional,
        systems=tuple(sorted(where)),
    )


def _order(library: Library) -> tuple[str, str, str, bool, tuple[str, ...]]:
    return library.soname, library.provider, library.expression or "", library.optional, library.systems


def _outside(entry: SonameEntry) -> bool:
    """Return whether only a package that is not in the lock ships it: the catalogue's entry, with its note."""
    return entry.provider == "sibling-wheel" and bool(entry.note)


def _diagnostics(entry: SonameEntry, optional: bool, where: Mapping[str, set[str]]) -> Iterator[Diagnostic]:
    """Yield a diagnostic for a soname that a wheel requires and nothing supplies."""
    if optional or not (entry.provider == "none" or _outside(entry)):
        return
    names = sorted(set().union(*where.values()))
    need = f"{entry.soname} is needed by {', '.join(names)} on {', '.join(sorted(where))}"
    if _outside(entry):
        code, message = "NIX103", f"{need}; it comes with {entry.note}, which the lock does not have"
        hint = "Add that package to the dependencies."
    elif entry.note:
        code, message = "NIX102", f"{need}, but nixpkgs does not have it: {entry.note}"
        hint = f'Set ignore = ["{entry.soname}"] in {_SETTING} if you do not use the part that needs it.'
    else:
        code, message = "NIX101", f"{need}, but nixpy does not know which package has it"
        hint = unknown_soname(entry.soname)
    wheels = [name for name in names if name != ADDED]
    yield Diagnostic(code=code, package=wheels[0] if wheels else None, message=message, hint=hint)


def unknown_soname(soname: str) -> str:
    """Return what to do about a soname that nixpy does not know."""
    return f'Set map = {{ "{soname}" = "PACKAGE" }} in {_SETTING}, with the package of nixpkgs that has it.'


def user_entries(rules: Rules) -> dict[str, SonameEntry]:
    """Return the user's own answers; NixpyError where a rule has no soname, glibc's own, or no attribute."""
    for key, sonames in (("map", rules.map), ("add", rules.add), ("ignore", rules.ignore)):
        for soname in sonames:
            if not _SONAME.fullmatch(soname):
                message = f"{_SETTING} {key}: {soname!r} is not a soname"
                raise SettingError(message, hint="Write the bare name of the library, such as libz.so.1.")
            if key != "ignore" and is_glibc(soname):
                message = f"{_SETTING} {key}: {soname} is part of glibc and is never on a library path"
                raise SettingError(message, hint="Remove it: it comes with the interpreter.")
    return {soname: _user_entry(soname, text) for soname, text in rules.map.items()}


def _user_entry(soname: str, text: str) -> SonameEntry:
    expression = text if text.startswith(("pkgs.", "(")) else f"pkgs.{text}"
    try:
        attribute = attributes(expression)[0]
    except ValueError as error:
        raise SettingError(
            f"{_SETTING} map: {soname} = {text!r} is not an attribute path of nixpkgs",
            hint="Write an attribute path such as zlib, xorg.libX11 or (pkgs.libx11 or pkgs.xorg.libX11).",
        ) from error
    return SonameEntry(soname=soname, provider="nixpkgs", expression=expression, attribute=attribute, darwin=True)
