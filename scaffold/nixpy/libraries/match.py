"""Match the sonames that wheels need with the libraries that supply them.

Other wheels of the lock come first: a soname that one of them ships is never put on a path,
since the path could shadow it (ld.so(8) searches LD_LIBRARY_PATH before DT_RUNPATH). Then come the user's own
rules, then the catalogue.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from packaging.utils import InvalidWheelFilename, NormalizedName

from nixpy.core.errors import SettingError
from nixpy.core.wheel_name import parse_wheel_filename
from nixpy.diagnostics.diagnostic import Cause, Diagnostic
from nixpy.libraries import manylinux
from nixpy.libraries.catalogue import Provider, SonameEntry, catalogue
from nixpy.libraries.evidence import Demand, LibraryEvidence, strongest_first
from nixpy.libraries.opened import finds_library, is_affordable, is_supplied, resolve
from nixpy.needs.dlopen import without_open
from nixpy.needs.glibc import is_glibc
from nixpy.needs.model import Certainty, Needs, reached
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
    """`true` also supplies the libraries that only optional parts of packages link to."""
    runtime: Literal["likely", "certain", "none"] = "likely"
    """Which libraries that packages open at run time are supplied. `"certain"`: those that are opened when the package
    is imported or its program started. `"likely"`: also those that other code for the system opens, and those to which
    its plugins link, except large ones such as GTK, LLVM and FFmpeg. `"none"`: no such library. `nixpy scan` lists
    those that are left out; `add` supplies them.
    """
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
    has `[tool.nixpy]` for the settings and `manylinux_2_17` for a policy. Tuples are sorted; of `evidence`, the
    strongest is the first. `wanted` says whether the settings leave the library in; by default, it is not `optional`.
    """

    soname: str
    provider: Provider
    attribute: str | None
    expression: str | None
    needed_by: tuple[str, ...]
    optional: bool
    systems: tuple[str, ...]
    evidence: tuple[LibraryEvidence, ...] = ()
    wanted: bool = True

    def opened_by(self, package: str) -> bool:
        """Return whether a package opens the library at run time, or may open it."""
        return any(one.opened and one.package == package for one in self.evidence)

    @property
    def only_opened(self) -> bool:
        """Whether packages open the library, or may open it, and nothing else needs it."""
        shown = {one.package for one in self.evidence if one.opened}
        return shown.issuperset(self.needed_by) and all(one.opened for one in self.evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelNeeds:
    """One wheel of the lock on one system, and its needs there."""

    system: str
    name: NormalizedName
    filename: str
    needs: Needs


def match(
    wheels: Iterable[WheelNeeds],
    rules: Rules | None = None,
    systems: Sequence[str] = (),
    entries: Mapping[str, SonameEntry] | None = None,
    imported: Collection[str] = (),
) -> tuple[tuple[Library, ...], tuple[Diagnostic, ...]]:
    """Return the libraries that the wheels need, and diagnostics.

    The result is for `systems` and for the wheels' own systems.

    Libraries are sorted by soname, then provider; systems with the same library share one. Those of glibc are never
    among them. Wheels for Darwin contain their libraries, so only names opened at run time count there, and only
    packages that exist there. `entries` win over the catalogue, and the rules over both. What only a module opens that
    its package does not import counts if another wheel imports it, or if it is in `imported`. Diagnostics, for sonames
    only that are required and not left out by the rules: NIX101 it is unknown, NIX102 nixpkgs lacks it, NIX103 only a
    package that is not in the lock ships it; for wheels, NIX104: nixpy cannot read an ELF file. Raises NixpyError if a
    rule is invalid.
    """
    rules = rules or Rules()
    mapped = {**(entries or {}), **user_entries(rules)}
    members: dict[str, list[WheelNeeds]] = {system: [] for system in systems}
    for wheel in wheels:
        members.setdefault(wheel.system, []).append(wheel)
    merged: dict[tuple[SonameEntry, bool, bool], dict[str, Demand]] = defaultdict(dict)
    for system, group in members.items():
        for entry, demand in _Group(system, group, rules, mapped).demands(imported).items():
            merged[entry, not demand.required, demand.wanted][system] = demand
    libraries = sorted((_library(*key, where) for key, where in merged.items()), key=_order)
    diagnostics = [diagnostic for key, where in merged.items() for diagnostic in _diagnostics(*key, where)]
    diagnostics += _unreadable(wheel for group in members.values() for wheel in group)
    return tuple(libraries), tuple(sorted(diagnostics, key=lambda diagnostic: (diagnostic.code, diagnostic.message)))


class _Group:
    """The wheels of one system, and the providers there."""

    def __init__(
        self, system: str, wheels: Sequence[WheelNeeds], rules: Rules, mapped: Mapping[str, SonameEntry]
    ) -> None:
        self.wheels, self.rules, self.mapped = wheels, rules, mapped
        self.darwin = system.endswith("-darwin")
        self.shipped = {soname for wheel in wheels for soname in wheel.needs.provides}

    def demands(self, imported: Collection[str]) -> dict[SonameEntry, Demand]:
        """Return who needs each library.

        Ignored ones and those of glibc are left out.
        """
        demands: dict[SonameEntry, Demand] = defaultdict(Demand)
        for entry, wheel, evidence in (*self._linked(), *self._opened(imported)):
            # A tag or a table of the project shows it, and no file.
            if wheel.needs.known == "listed" or (wheel.needs.known == "tag" and not evidence.opened):
                demands[entry].require(wheel.name)
                continue
            affordable = is_affordable(entry) or (is_supplied(entry) and entry.soname in self.rules.map)
            demands[entry].add(
                evidence, runtime=self.rules.runtime, optional=self.rules.optional, affordable=affordable
            )
        for name, soname in self._settings():
            if found := self.find(soname):
                demands[found].require(name)
        return {entry: one for entry, one in demands.items() if entry.soname not in self.rules.ignore}

    def find(self, soname: str) -> SonameEntry | None:
        """Return the entry of a soname; None for glibc, and for no diagnostic."""
        if is_glibc(soname):
            return None
        if soname in self.shipped:
            return SonameEntry(soname=soname, provider="sibling-wheel")
        return self.mapped.get(soname) or _known(soname, darwin=self.darwin)

    def _linked(self) -> Iterator[tuple[SonameEntry, WheelNeeds, LibraryEvidence]]:
        for wheel in () if self.darwin else self.wheels:
            for soname, path in wheel.needs.sonames:
                if entry := self.find(soname):
                    certainty = _certainty(soname, wheel.needs)
                    evidence = LibraryEvidence(kind="linked", certainty=certainty, package=wheel.name, path=path)
                    yield entry, wheel, evidence

    def _opened(self, imported: Collection[str]) -> Iterator[tuple[SonameEntry, WheelNeeds, LibraryEvidence]]:
        names = {wheel.name for wheel in self.wheels}
        imported = {*imported, *(module for wheel in self.wheels for module in wheel.needs.imports)}
        linked = {soname for wheel in self.wheels for soname, _ in wheel.needs.sonames}
        preferred = {*linked, *self.shipped, *self.mapped}
        for wheel in self.wheels:
            for one in reached(wheel.needs.opens, imported):
                # On macOS, the links to a library are those to all its versions.
                entries = resolve(one, self.find, catalogue(), preferred)[: 1 if self.darwin else None]
                tried = {*one.names, *(entry.soname for entry in entries)}
                # An ignored soname must not let another one of the same open take its place.
                if not tried.isdisjoint(self.rules.ignore):
                    continue
                evidence = LibraryEvidence(
                    kind=one.evidence,
                    certainty=one.certainty,
                    package=wheel.name,
                    path=one.path or None,
                    line=one.line,
                    names=one.names,
                    find_library=finds_library(one),
                    imported=one.module is not None,
                )
                if all(names.isdisjoint(without_open(wheel.name, soname)) for soname in tried):
                    yield from ((entry, wheel, evidence) for entry in entries)

    def _settings(self) -> Iterator[tuple[str, str]]:
        """Yield a name for each setting or policy that adds a library, and the soname."""
        if self.darwin:
            return
        for wheel in self.wheels if self.rules.mode == "manylinux" else ():
            yield from _promised(wheel.filename)
        for soname in self.rules.add:
            yield ADDED, soname


def _certainty(soname: str, needs: Needs) -> Certainty:
    """Return how certain it is that a wheel needs a library to which its files link."""
    return "possible" if soname in needs.optional else "likely" if soname in needs.likely else "certain"


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


def _library(entry: SonameEntry, optional: bool, wanted: bool, where: Mapping[str, Demand]) -> Library:
    return Library(
        soname=entry.soname,
        provider="none" if _outside(entry) else entry.provider,
        attribute=entry.attribute,
        expression=entry.expression,
        needed_by=_needing(where),
        optional=optional,
        systems=tuple(sorted(where)),
        evidence=strongest_first({one for demand in where.values() for one in demand.evidence}),
        wanted=wanted,
    )


def left_out(libraries: Iterable[Library]) -> tuple[Library, ...]:
    """Return the libraries that packages open, or may open, and that are left out.

    Those that a wheel of the lock ships are not among them.
    """
    return tuple(
        item
        for item in libraries
        if not item.wanted
        and item.provider != "sibling-wheel"
        and any(one.opened or one.certainty == "likely" for one in item.evidence)
    )


def _needing(where: Mapping[str, Demand]) -> tuple[str, ...]:
    return tuple(sorted(set().union(*(demand.required or demand.optional for demand in where.values()))))


def _order(library: Library) -> tuple[str, str, str, bool, bool, tuple[str, ...]]:
    one = library
    return one.soname, one.provider, one.expression or "", one.optional, not one.wanted, one.systems


def _outside(entry: SonameEntry) -> bool:
    """Return whether only a package outside the lock ships the library.

    The note of the catalogue's entry names the package.
    """
    return entry.provider == "sibling-wheel" and bool(entry.note)


def _diagnostics(entry: SonameEntry, optional: bool, wanted: bool, where: Mapping[str, Demand]) -> Iterator[Diagnostic]:
    """Yield a diagnostic for a soname that a wheel requires and nothing supplies."""
    if optional or not wanted or not (entry.provider == "none" or _outside(entry)):
        return
    needing = _needing(where)
    first = strongest_first({one for demand in where.values() for one in demand.evidence})
    opened = f" ({first[0].place})" if first and first[0].opened and first[0].path else ""
    names = (*needing[:-1], needing[-1] + opened)
    need = f"{entry.soname} is needed by {', '.join(names)} on {', '.join(sorted(where))}"
    needs = f"{{items}} are needed by {', '.join(needing)} on {', '.join(sorted(where))}"
    if _outside(entry):
        code, message = "NIX103", f"{need}; it comes with {entry.note}, which the lock does not have"
        hint = all_hint = "Add that package to the dependencies."
        all_message = f"{needs}; they come with {entry.note}, which the lock does not have"
    elif entry.note:
        code, message = "NIX102", f"{need}, but nixpkgs does not have it: {entry.note}"
        hint = f'Set ignore = ["{entry.soname}"] in {_SETTING} if you do not use the part that needs it.'
        all_message = f"{needs}, but nixpkgs does not have them: {entry.note}"
        all_hint = f"Name them in ignore of {_SETTING} if you do not use the parts that need them."
    else:
        code, message = "NIX101", f"{need}, but nixpy does not know which package has it"
        hint, all_hint = unknown_soname(entry.soname), unknown_soname("SONAME")
        all_message = f"{needs}, but nixpy does not know which packages have them"
    wheels = [name for name in needing if name != ADDED]
    yield Diagnostic(
        code=code,
        package=wheels[0] if wheels else None,
        message=message,
        hint=hint,
        cause=Cause(item=entry.soname, message=all_message, hint=all_hint),
    )


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


def of_dependency(diagnostic: Diagnostic, how: str) -> Diagnostic:
    """Return a diagnostic for a package that was analysed without its dependencies.

    If it is about an unknown library, or about one of another package, its hint says that a dependency may supply it.
    `how` is what to do to see that.
    """
    if diagnostic.code not in {"NIX101", "NIX103"}:
        return diagnostic
    one, many = (f"A dependency may supply {it}; {how}." for it in ("it", "them"))
    cause = diagnostic.cause and replace(diagnostic.cause, hint=many)
    return replace(diagnostic, hint=one, cause=cause)


def unknown_soname(soname: str) -> str:
    """Return what to do about a soname that nixpy does not know."""
    return (
        f"Find the package with `nix-locate --top-level --whole-name lib/{soname}`, and set "
        f'map = {{ "{soname}" = "PACKAGE" }} in {_SETTING}.'
    )


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
