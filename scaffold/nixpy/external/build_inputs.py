"""Map external dependencies to packages of nixpkgs for shells and builds."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from packaging.specifiers import Specifier, SpecifierSet
from packaging.utils import NormalizedName

from nixpy.core.errors import nearest
from nixpy.core.target import Target
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.external import mapping
from nixpy.external.depurl import VIRTUAL, Dependency, sorted_specifiers
from nixpy.external.mapping import MappingEntry
from nixpy.external.table import TABLE, External, Role
from nixpy.libraries.catalogue import SonameEntry, catalogue
from nixpy.libraries.match import WheelNeeds
from nixpy.needs.model import Needs, RuntimeOpen
from nixpy.nixpkgs.expression import attributes, condition

_PROJECT = f"[{TABLE}]"
"""The name of the project itself among the wheels that need a library."""

_SETTING = "[tool.nixpy.external]"
_ROLES: tuple[Role, ...] = ("build", "host", "run")
_CONDITIONS = {
    ">=": 'lib.versionAtLeast version "{}"',
    "<": 'lib.versionOlder version "{}"',
    ">": 'lib.versionOlder "{}" version',
    "<=": 'lib.versionAtLeast "{}" version',
    "==": 'version == "{}"',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildInput:
    """One package of nixpkgs, with the reason why it is needed.

    The reason is a specifier that requires it, or a package that is built with it.

    `version` are the required versions. `chosen`: the user maps to it, so that nixpkgs may lack it.
    """

    role: Role
    expression: str
    reason: str
    systems: tuple[str, ...]
    version: SpecifierSet = field(default_factory=SpecifierSet)
    chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildInputs:
    """All packages in a shell for external dependencies.

    `libraries` are their sonames, in the form of needs of wheels; `entries` supply those that the catalogue lacks.
    """

    inputs: tuple[BuildInput, ...] = ()
    libraries: tuple[WheelNeeds, ...] = ()
    entries: Mapping[str, SonameEntry] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()

    def __add__(self, other: BuildInputs) -> BuildInputs:
        """Return both together; the entries of the first take precedence."""
        return BuildInputs(
            inputs=(*self.inputs, *other.inputs),
            libraries=(*self.libraries, *other.libraries),
            entries={**other.entries, **self.entries},
            diagnostics=(*self.diagnostics, *other.diagnostics),
        )

    @property
    def opened(self) -> frozenset[str]:
        """The sonames that the project opens at run time."""
        return frozenset(soname for one in self.libraries for soname in one.needs.dlopen)

    def rendered(self, expression: str) -> str:
        """Return the text of an expression.

        One that the user chose ends in `lacking`, which raises an error.
        """
        if not any(one.chosen and one.expression == expression for one in self.inputs):
            return expression
        return f'({expression.strip("()")} or (lacking "{attributes(expression)[0]}"))'

    def facts(self, systems: Sequence[str], opened: Sequence[str]) -> dict[str, Any] | None:
        """Return the arguments of `templates/nix/external.nix`, or None if there are none.

        `opened` are the sonames that the project opens at run time.
        """
        if not self.inputs:
            return None
        found: dict[str, Any] = {role: self._packages(role, systems) for role in _ROLES}
        found |= {"opened": list(opened), "versions": self._versions(systems)}
        return {name: value for name, value in found.items() if value and value != {"parts": []}}

    def _packages(self, role: Role, systems: Sequence[str]) -> dict[str, Any]:
        """Return the packages in groups of the same systems.

        Those for all systems come first. Each has all its reasons.
        """
        merged: dict[tuple[tuple[str, ...], str], list[str]] = {}
        for one in self.inputs:
            if one.role == role:
                reasons = merged.setdefault((_where(one, systems), one.expression), [])
                reasons += [one.reason] if one.reason not in reasons else []
        parts = [
            {
                "when": condition(where, systems) if where else None,
                "value": [{"nix": self.rendered(text), "comment": ", ".join(reasons)} for (_, text), reasons in group],
            }
            for where, group in groupby(sorted(merged.items()), key=lambda item: item[0][0])
        ]
        return {"parts": parts}

    def _versions(self, systems: Sequence[str]) -> dict[str, Any]:
        """Return the required versions of each dependency, in groups of the same systems."""
        merged = {(_where(one, systems), one.reason): one for one in reversed(self.inputs) if one.version}
        parts = [
            {
                "when": condition(where, systems) if where else None,
                "value": {
                    dependency: {
                        "package": {"nix": self.rendered(one.expression)},
                        "attribute": attributes(one.expression)[0],
                        "holds": {"nix": f"version: {' && '.join(map(_condition, sorted_specifiers(one.version)))}"},
                    }
                    for (_, dependency), one in group
                },
            }
            for where, group in groupby(sorted(merged.items(), key=itemgetter(0)), key=lambda item: item[0][0])
        ]
        return {"parts": parts}


def _where(one: BuildInput, systems: Sequence[str]) -> tuple[str, ...]:
    """Return the systems of an input, or none if it is for all."""
    return () if one.systems == tuple(systems) else one.systems


def _without_zeros(version: str) -> str:
    parts = version.split(".")
    while len(parts) > 1 and parts[-1] and not parts[-1].strip("0"):
        parts.pop()
    return ".".join(parts)


def _condition(specifier: Specifier) -> str:
    # Nix compares both sides without trailing zeros; see templates/nix/external.nix.
    return _CONDITIONS[specifier.operator].format(_without_zeros(specifier.version))


def for_external(
    external: External,
    extras: Iterable[NormalizedName],
    groups: Iterable[NormalizedName] | None,
    targets: Sequence[Target],
    mapped: Mapping[str, str],
    known_extras: Collection[NormalizedName] | None = None,
    known_groups: Collection[NormalizedName] | None = None,
) -> BuildInputs:
    """Return the packages that the project's table requires on `targets`.

    `mapped` are the user's expressions by id. `known_extras` and `known_groups` are those of the project itself, or
    None if only a build or another tool knows them.
    """
    extras, groups = tuple(extras), None if groups is None else tuple(groups)
    alone = (*_alone_extras(external, extras, known_extras), *_alone_groups(external, groups, known_groups))
    found = BuildInputs(diagnostics=(*external.diagnostics, *alone))
    environments = {target.system: {**target.marker_environment(), "extra": ""} for target in targets}
    for role, dependency in external.select(extras, groups):
        marker = dependency.marker
        systems = [system for system, values in environments.items() if marker is None or marker.evaluate(values)]
        if systems:
            found += supply(dependency, role, _PROJECT, dependency.bare, sorted(systems), mapped)
    return found


def supply(
    dependency: Dependency, role: Role, who: str, reason: str, systems: Sequence[str], mapped: Mapping[str, str]
) -> BuildInputs:
    """Return the package for one dependency of `who` on these systems.

    If none is known, the result has a diagnostic.
    """
    mapping_entries = mapping.find(dependency) or _renamed(dependency)
    text = mapped.get(dependency.qualified) or mapped.get(dependency.id)
    if not text and (not mapping_entries or not (mapping_entries[0].expressions or mapping_entries[0].given)):
        return BuildInputs(diagnostics=(_unknown(dependency),))
    provider = mapping_entries[0] if mapping_entries else MappingEntry(expressions={})
    expressions = (text,) if text else provider.expressions.get(role, ())
    if not expressions:
        return BuildInputs()
    checked = dependency.type != VIRTUAL
    return BuildInputs(
        inputs=tuple(
            BuildInput(
                role=role,
                expression=one,
                reason=reason,
                systems=tuple(systems),
                # The first is the package itself, the others are parts of it.
                version=dependency.version if checked and one == expressions[0] else SpecifierSet(),
                chosen=bool(text),
            )
            for one in expressions
        ),
        libraries=tuple(_libraries(provider.sonames, role, who, systems)),
        entries=_entries(provider.sonames, expressions[0], chosen=bool(text)),
        diagnostics=tuple(_remarks(dependency)),
    )


def _libraries(sonames: tuple[str, ...], role: Role, who: str, systems: Sequence[str]) -> Iterator[WheelNeeds]:
    """Yield the libraries as the needs of a wheel.

    Linked libraries are needs, too, since a run path may point into a store path that no longer exists. Libraries with
    role `run` are opened at run time.
    """
    if not sonames or role == "build":
        return
    needs = (
        Needs(known="listed", opens=tuple(_opened(soname, systems) for soname in sonames))
        if role == "run"
        else Needs(known="listed", sonames=tuple((soname, who) for soname in sonames))
    )
    for system in systems:
        yield WheelNeeds(system=system, name=NormalizedName(who), filename="", needs=needs)


def _opened(soname: str, systems: Iterable[str]) -> RuntimeOpen:
    where = tuple(sorted(systems))
    return RuntimeOpen(names=(soname,), evidence="table", certainty="certain", path="", systems=where)


def _entries(sonames: Iterable[str], expression: str, *, chosen: bool) -> dict[str, SonameEntry]:
    """Return entries for sonames that the catalogue lacks or the user maps."""
    attribute = attributes(expression)[0]
    return {
        soname: SonameEntry(soname=soname, provider="nixpkgs", expression=expression, attribute=attribute, darwin=True)
        for soname in sonames
        if chosen or catalogue().find(soname) is None
    }


def _renamed(dependency: Dependency) -> tuple[MappingEntry, ...]:
    """Return the providers of `compiler/cpp`.

    An example of PEP 725 has that name for `cxx` in the registry.
    """
    return mapping.mapping_entries()["dep:virtual/compiler/cxx"] if dependency.id == "dep:virtual/compiler/cpp" else ()


def _remarks(dependency: Dependency) -> Iterator[Diagnostic]:
    if dependency.id == "dep:virtual/compiler/cpp":
        yield Diagnostic(
            code="NIX602",
            message=f"`{dependency.bare}` is called dep:virtual/compiler/cxx in the registry of PEP 804",
            hint="Change it in pyproject.toml.",
        )
    if dependency.type == VIRTUAL and dependency.version:
        yield Diagnostic(
            code="NIX603",
            message=f"nixpkgs does not state the version of {dependency.id.removeprefix('dep:virtual/')}, so "
            f"nixpy does not check {dependency.bare}",
            hint="Check it yourself: versions of compilers and interfaces are those of their standards (PEP "
            "804, appendix B).",
        )


def _alone_extras(
    external: External, chosen: Collection[NormalizedName], known: Collection[NormalizedName] | None
) -> Iterator[Diagnostic]:
    """Yield NIX604 for each extra that only `[external]` has.

    Extras that the user chose are left out.
    """
    if known is None:
        return
    for extra in sorted(external.extras.keys() - {*chosen, *known}):
        yield _alone("extra", extra, known, "project.optional-dependencies", "so nothing installs it")


def _alone_groups(
    external: External, chosen: Collection[NormalizedName] | None, known: Collection[NormalizedName] | None
) -> Iterator[Diagnostic]:
    """Yield NIX604 for each group that only `[external]` has.

    Groups that the user chose or that another group includes are left out.
    """
    if known is None:
        return
    included = {item for items in external.groups.values() for item in items if not isinstance(item, Dependency)}
    for group in sorted(external.groups.keys() - {*(chosen or ()), *included, *known}):
        taken = chosen is None and group in external.default_groups
        what = "but it is installed by default" if taken else "so nothing installs it"
        yield _alone("group", group, known, "dependency-groups", what)


def _alone(kind: str, name: NormalizedName, known: Collection[NormalizedName], table: str, what: str) -> Diagnostic:
    near = nearest(name, known)
    return Diagnostic(
        code="NIX604",
        message=f"[{TABLE}] names the {kind} `{name}`, which the project does not have, {what}",
        hint=f"{f'Did you mean `{near}`? Otherwise add' if near else 'Add'} it to [{table}], for example as "
        f"`{name} = []`.",
    )


def _unknown(dependency: Dependency) -> Diagnostic:
    if dependency.type == "pypi":
        hint = "It is a Python package: add it to [project] or [dependency-groups]."
    else:
        name = _attribute(dependency.name)
        near = _near(dependency, mapping.mapping_entries())
        hint = (
            f"{f'Did you mean {near}? Otherwise name' if near else 'Name'} its attribute: {_SETTING} "
            f'map = {{ "{dependency.id}" = "{name}" }}. If nixpkgs lacks it, add an overlay to flake.nix or '
            f"shell.nix: `pkgs.extend (final: previous: {{ {name} = final.callPackage ./{name}.nix {{ }}; }})`."
        )
    return Diagnostic(code="NIX601", message=f"{dependency.bare} is not known to be in nixpkgs", hint=hint)


def _near(dependency: Dependency, known: Collection[str]) -> str | None:
    """Return the known id most similar to an unknown one, or None.

    It has another case or type, or differs by `lib`.
    """
    names = {key.rpartition("/")[2].lower(): key for key in sorted(known)}
    name = dependency.name.lower()
    found = names.get(name) or names.get(f"lib{name}") or names.get(name.removeprefix("lib"))
    return found or nearest(dependency.id, known, 0.85)


def _attribute(name: str) -> str:
    """Return a name that is a valid attribute of nixpkgs."""
    text = re.sub(r"[^A-Za-z0-9_-]", "-", name)
    return text if text[0].isalpha() else f"_{text}"
