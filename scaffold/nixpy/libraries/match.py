"""Match the sonames that wheels need with the libraries that supply them.

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
from nixpy.needs.dlopen import without_open
from nixpy.needs.glibc import is_glibc
from nixpy.needs.model import Needs
from nixpy.nixpkgs.expression import attributes

ADDED = "[tool.nixpy]"
"""The entry of `needed_by` that means the settings, which add a library that no wheel needs."""

_SETTING = "[tool.nixpy.libraries]"
_SONAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+~@-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The settings in `[tool.nixpy.libraries]`.

    `optional` is for the generated file; it does not change the match.
    """

    mode: Literal["exact", "manylinux"] = "exact"
    """`exact` supplies what the wheels need; `manylinux` also all that the policy of their tags lets them leave out."""
    optional: bool = False
    """`true` also supplies the libraries that only optional parts of packages need."""
    map: Mapping[str, str] = field(default_factory=dict)
    """The package for a soname: an attribute path of nixpkgs (`zlib`) or an expression (`(pkgs.a or pkgs.b)`). It wins
    over the catalogue.
    """
    add: tuple[str, ...] = ()
    """Sonames that are supplied on Linux although no wheel needs them."""
    ignore: tuple[str, ...] = ()
    """Sonames that are left out, even if a wheel needs them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One soname, its provider, the wheels that need it, and the systems.

    `provider` is `nixpkgs` (only then with `attribute` and `expression`), `sibling-wheel`, `host-driver` or
    `none`. `needed_by` are the wheels that require it, or, if none does (`optional`), those that could use it. It also
    has `[tool.nixpy]` for the settings and `manylinux_2_17` for a policy. Tuples are sorted.
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
    """One wheel of the lock on one system, and its needs there."""

    system: str
    name: NormalizedName
    filename: str
    needs: Needs


@dataclass(slots=True)
class _Demand:
    """The wheels, settings and policies that need one soname on one system."""

    required: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)


def match(
    wheels: Iterable[WheelNeeds],
    rules: Rules | None = None,
    systems: Sequence[str] = (),
    entries: Mapping[str, SonameEntry] | None = None,
) -> tuple[tuple[Library, ...], tuple[Diagnostic, ...]]:
    """Return the libraries that the wheels need, and diagnostics.

    The result is for `systems` and for the wheels' own systems.

    Libraries are sorted by soname, then provider; systems with the same library share one. Those of glibc are never
    among them. Wheels for Darwin contain their libraries, so only names opened at run time count there, and only
    packages that exist there. `entries` win over the catalogue, and the rules over both. Diagnostics, for required
    sonames only: NIX101 it is unknown, NIX102 nixpkgs lacks it, NIX103 only a package that is not in the lock ships
    it; for wheels: NIX104 nixpy cannot read an ELF file. Raises NixpyError if a rule is invalid.
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
        for soname, demand in _demands(group, rules, darwin=darwin).items():
            entry = SonameEntry(soname=soname, provider="sibling-wheel") if soname in shipped else mapped.get(soname)
            entry = entry or _known(soname, darwin=darwin)
            if entry:
                merged[entry, not demand.required][system] = demand.required or demand.optional
    libraries = sorted((_library(*key, where) for key, where in merged.items()), key=_order)
    diagnostics = [diagnostic for key, where in merged.items() for diagnostic in _diagnostics(*key, where)]
    diagnostics += _unreadable(wheel for group in members.values() for wheel in group)
    return tuple(libraries), tuple(sorted(diagnostics, key=lambda diagnostic: (diagnostic.code, diagnostic.message)))


def _demands(wheels: Iterable[WheelNeeds], rules: Rules, *, darwin: bool) -> dict[str, _Demand]:
    """Return who needs each soname on one system.

    Ignored sonames and those of glibc are left out.
    """
    demands: dict[str, _Demand] = defaultdict(_Demand)
    wheels = tuple(wheels)
    names = {wheel.name for wheel in wheels}
    for wheel in wheels:
        for soname in wheel.needs.dlopen:
            if names.isdisjoint(without_open(wheel.name, soname)):
                demands[soname].required.add(wheel.name)
        if darwin:
            continue
        for soname, _ in wheel.needs.sonames:
            demand = demands[soname]
            (demand.optional if soname in wheel.needs.optional else demand.required).add(wheel.name)
        if rules.mode == "manylinux":
            for policy, soname in _promised(wheel.filename):
                demands[soname].required.add(policy)
    for soname in () if darwin else rules.add:
        demands[soname].required.add(ADDED)
    return {soname: demand for soname, demand in demands.items() if not is_glibc(soname) and soname not in rules.ignore}


def _promised(filename: str) -> Iterator[tuple[str, str]]:
    """Yield the policy and each soname that the tags of a wheel let it leave out."""
    try:
        platforms = [tag.platform for tag in parse_wheel_filename(filename)[3]]
    except InvalidWheelFilename:  # an invalid name promises nothing
        return
    if policy := manylinux.policy(platforms):
        for soname in manylinux.allowed(platforms):
            yield policy, soname


def _known(soname: str, *, darwin: bool) -> SonameEntry | None:
    """Return the entry of the catalogue for a soname.

    Without an entry, return one without a note, or None for no diagnostic.
    """
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
    """Return whether only a package outside the lock ships the library.

    The note of the catalogue's entry names the package.
    """
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


def _unreadable(wheels: Iterable[WheelNeeds]) -> Iterator[Diagnostic]:
    """Yield NIX104 for each wheel with ELF files that nixpy cannot read."""
    found: dict[NormalizedName, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for wheel in wheels:
        for path in wheel.needs.unreadable:
            found[wheel.name][path].add(wheel.system)
    for name, paths in found.items():
        systems = sorted(set().union(*paths.values()))
        what = f"the ELF file {min(paths)}" if len(paths) == 1 else f"{len(paths)} ELF files such as {min(paths)}"
        yield Diagnostic(
            code="NIX104",
            package=name,
            message=f"nixpy cannot read {what} of {name} on {', '.join(systems)}, so it does not know which libraries "
            f"{'it needs' if len(paths) == 1 else 'they need'}",
            hint=f"Read it with `readelf -d`, and name its libraries in {_SETTING} add. If readelf fails, too, the "
            "wheel is damaged.",
        )


def unknown_soname(soname: str) -> str:
    """Return what to do about a soname that nixpy does not know."""
    return f'Set map = {{ "{soname}" = "PACKAGE" }} in {_SETTING}, with the package of nixpkgs that has it.'


def user_entries(rules: Rules) -> dict[str, SonameEntry]:
    """Return the entries of the settings.

    Raises NixpyError for an invalid soname, one of glibc, or an invalid attribute.
    """
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
