"""From external dependencies to nixpkgs: which packages a shell holds for them, and what cannot be served."""

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
from nixpy.diagnostics.problem import Problem
from nixpy.external import mapping
from nixpy.external.depurl import VIRTUAL, Dependency, sorted_specifiers
from nixpy.external.mapping import Provider
from nixpy.external.table import TABLE, External, Role
from nixpy.libraries.catalogue import Entry, catalogue
from nixpy.libraries.match import WheelNeeds
from nixpy.needs.model import Needs
from nixpy.nixpkgs.expression import attributes

ASKED = f"[{TABLE}]"
"""Stands among the wheels that need a library for the project that asks for it."""

SETTING = "[tool.nixpy.external]"
_ROLES: tuple[Role, ...] = ("build", "host", "run")
_CONDITIONS = {
    ">=": 'lib.versionAtLeast version "{}"',
    "<": 'lib.versionOlder version "{}"',
    ">": 'lib.versionOlder "{}" version',
    "<=": 'lib.versionAtLeast "{}" version',
    "==": 'version == "{}"',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One package of nixpkgs and what it is for: the specifier that asks for it, or the package that is built with it.

    `version` is what may be asked of its version; `chosen` says that the user maps to it, so that nixpkgs may lack it.
    """

    role: Role
    expression: str
    reason: str
    systems: tuple[str, ...]
    version: SpecifierSet = field(default_factory=SpecifierSet)
    chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that a shell holds for external dependencies.

    `libraries` are theirs, as needs of wheels would be; `entries` answer those sonames that the catalogue does not.
    """

    inputs: tuple[Input, ...] = ()
    libraries: tuple[WheelNeeds, ...] = ()
    entries: Mapping[str, Entry] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def __add__(self, other: Inputs) -> Inputs:
        """Return both together; the entries of the first go before."""
        return Inputs(
            inputs=(*self.inputs, *other.inputs),
            libraries=(*self.libraries, *other.libraries),
            entries={**other.entries, **self.entries},
            problems=(*self.problems, *other.problems),
        )

    @property
    def opened(self) -> frozenset[str]:
        """The sonames that are opened by name when the project runs."""
        return frozenset(soname for one in self.libraries for soname in one.needs.dlopen)

    def rendered(self, expression: str) -> str:
        """Return the text for an expression: one that the user chose ends in the template's `lacking`, an error."""
        if not any(one.chosen and one.expression == expression for one in self.inputs):
            return expression
        return f'({expression.strip("()")} or (lacking "{attributes(expression)[0]}"))'

    def as_dict(self, systems: Sequence[str]) -> dict[str, Any] | None:
        """Return what templates render, None where that is nothing; no `systems` in a group are all of them."""
        if not self.inputs:
            return None
        return {
            "roles": {role: self._groups(role, systems) for role in _ROLES},
            "versions": self._versions(systems),
            "chosen": any(one.chosen for one in self.inputs),
        }

    def _groups(self, role: Role, systems: Sequence[str]) -> list[dict[str, Any]]:
        """Return the packages in groups of the same systems, those for all first, each once with all its reasons."""
        merged: dict[tuple[tuple[str, ...], str], list[str]] = {}
        for one in self.inputs:
            if one.role == role:
                reasons = merged.setdefault((_where(one, systems), one.expression), [])
                reasons += [one.reason] if one.reason not in reasons else []
        return [
            {"systems": list(where), "packages": [[self.rendered(text), reasons] for (_, text), reasons in group]}
            for where, group in groupby(sorted(merged.items()), key=lambda item: item[0][0])
        ]

    def _versions(self, systems: Sequence[str]) -> list[dict[str, Any]]:
        """Return what is asked of versions, each dependency once, in groups of the same systems."""
        merged = {(_where(one, systems), one.reason): one for one in reversed(self.inputs) if one.version}
        return [
            {
                "systems": list(where),
                "packages": [
                    {
                        "dependency": dependency,
                        "expression": self.rendered(one.expression),
                        "attribute": attributes(one.expression)[0],
                        "condition": " && ".join(map(_condition, sorted_specifiers(one.version))),
                    }
                    for (_, dependency), one in group
                ],
            }
            for where, group in groupby(sorted(merged.items(), key=itemgetter(0)), key=lambda item: item[0][0])
        ]


def _where(one: Input, systems: Sequence[str]) -> tuple[str, ...]:
    """Return the systems of an input, none where these are all."""
    return () if one.systems == tuple(systems) else one.systems


def _condition(specifier: Specifier) -> str:
    # Both sides are compared without zeros at their ends; see the template.
    return _CONDITIONS[specifier.operator].format(re.sub(r"(\.0+)+$", "", specifier.version))


def asked(
    external: External,
    extras: Iterable[NormalizedName],
    groups: Iterable[NormalizedName] | None,
    targets: Sequence[Target],
    own: Mapping[str, str],
    known_extras: Collection[NormalizedName] | None = None,
    known_groups: Collection[NormalizedName] | None = None,
) -> Inputs:
    """Return what the project's table asks for on `targets`; `own` are the user's expressions by id, `known_extras` and
    `known_groups` those of the project itself, None where only a build or another tool knows them.
    """
    extras, groups = tuple(extras), None if groups is None else tuple(groups)
    alone = (*_alone_extras(external, extras, known_extras), *_alone_groups(external, groups, known_groups))
    found = Inputs(problems=(*external.problems, *alone))
    environments = {target.system: {**target.marker_environment(), "extra": ""} for target in targets}
    for role, dependency in external.select(extras, groups):
        marker = dependency.marker
        systems = [system for system, values in environments.items() if marker is None or marker.evaluate(values)]
        if systems:
            found += supply(dependency, role, ASKED, dependency.bare, sorted(systems), own)
    return found


def supply(
    dependency: Dependency, role: Role, who: str, reason: str, systems: Sequence[str], own: Mapping[str, str]
) -> Inputs:
    """Return what supplies one dependency of `who` on these systems, or the problem where nobody is known to."""
    providers = mapping.find(dependency) or _renamed(dependency)
    text = own.get(dependency.qualified) or own.get(dependency.id)
    if not text and (not providers or not (providers[0].expressions or providers[0].given)):
        return Inputs(problems=(_unknown(dependency),))
    provider = providers[0] if providers else Provider(expressions={})
    expressions = (text,) if text else provider.expressions.get(role, ())
    if not expressions:
        return Inputs()
    checked = dependency.type != VIRTUAL
    return Inputs(
        inputs=tuple(
            Input(
                role=role,
                expression=one,
                reason=reason,
                systems=tuple(systems),
                # The first is the package itself, others are parts of it.
                version=dependency.version if checked and one == expressions[0] else SpecifierSet(),
                chosen=bool(text),
            )
            for one in expressions
        ),
        libraries=tuple(_libraries(provider.sonames, role, who, systems)),
        entries=_entries(provider.sonames, expressions[0], chosen=bool(text)),
        problems=tuple(_remarks(dependency)),
    )


def _libraries(sonames: tuple[str, ...], role: Role, who: str, systems: Sequence[str]) -> Iterator[WheelNeeds]:
    """Yield the libraries as the needs of a wheel: what is linked to is needed too, where its run path died with an
    older store; what a program opens when it runs is opened by name.
    """
    if not sonames or role == "build":
        return
    needs = (
        Needs(known="listed", dlopen=sonames)
        if role == "run"
        else Needs(known="listed", sonames=tuple((soname, who) for soname in sonames))
    )
    for system in systems:
        yield WheelNeeds(system=system, name=NormalizedName(who), filename="", needs=needs)


def _entries(sonames: Iterable[str], expression: str, *, chosen: bool) -> dict[str, Entry]:
    """Return the answers for sonames: by what the user chose, else by what supplies them where nobody else is known."""
    attribute = attributes(expression)[0]
    return {
        soname: Entry(soname=soname, provider="nixpkgs", expression=expression, attribute=attribute, darwin=True)
        for soname in sonames
        if chosen or catalogue().find(soname) is None
    }


def _renamed(dependency: Dependency) -> tuple[Provider, ...]:
    """Return the providers of `compiler/cpp`, which an example of PEP 725 has for what the registry calls cxx."""
    return mapping.providers()["dep:virtual/compiler/cxx"] if dependency.id == "dep:virtual/compiler/cpp" else ()


def _remarks(dependency: Dependency) -> Iterator[Problem]:
    if dependency.id == "dep:virtual/compiler/cpp":
        yield Problem(
            code="NIX602",
            message=f"`{dependency.bare}` is called dep:virtual/compiler/cxx",
            hint="so the registry of PEP 804 has it: change pyproject.toml",
        )
    if dependency.type == VIRTUAL and dependency.version:
        yield Problem(
            code="NIX603",
            message=f"nixpkgs does not tell which version of {dependency.id.removeprefix('dep:virtual/')} its package "
            f"has, so {dependency.bare} is not checked",
            hint="versions of compilers and interfaces are those of their standards (PEP 804, appendix B)",
        )


def _alone_extras(
    external: External, chosen: Collection[NormalizedName], known: Collection[NormalizedName] | None
) -> Iterator[Problem]:
    """Yield NIX604 for each extra that neither the project has nor the user chose."""
    if known is None:
        return
    for extra in sorted(external.extras.keys() - {*chosen, *known}):
        yield _alone("extra", extra, known, "project.optional-dependencies", "so nothing asks for it")


def _alone_groups(
    external: External, chosen: Collection[NormalizedName] | None, known: Collection[NormalizedName] | None
) -> Iterator[Problem]:
    """Yield NIX604 for each group that neither the project has nor the user chose, and no other group includes."""
    if known is None:
        return
    included = {item for items in external.groups.values() for item in items if not isinstance(item, Dependency)}
    for group in sorted(external.groups.keys() - {*(chosen or ()), *included, *known}):
        taken = chosen is None and group in external.default_groups
        what = "yet it is installed by default" if taken else "so nothing asks for it"
        yield _alone("group", group, known, "dependency-groups", what)


def _alone(kind: str, name: NormalizedName, known: Collection[NormalizedName], table: str, what: str) -> Problem:
    near = nearest(name, known)
    return Problem(
        code="NIX604",
        message=f"[{TABLE}] has the {kind} `{name}`, and the project has none of that name, {what}",
        hint=f"{f'did you mean `{near}`? Else a' if near else 'a'}dd it to [{table}], "
        f'if need be as {name} = [], or choose it here alone: {kind}s = ["{name}"] of [tool.nixpy]',
    )


def _unknown(dependency: Dependency) -> Problem:
    if dependency.type == "pypi":
        hint = "it is a Python package: ask for it in [project] or [dependency-groups]"
    else:
        name = _attribute(dependency.name)
        near = _near(dependency, mapping.providers())
        hint = (
            f"{f'did you mean {near}? Else n' if near else 'n'}ame its attribute: {SETTING} "
            f'map = {{ "{dependency.id}" = "{name}" }}. What nixpkgs lacks comes from an overlay, in flake.nix or '
            f"shell.nix: pkgs.extend (final: previous: {{ {name} = final.callPackage ./{name}.nix {{ }}; }})"
        )
    return Problem(code="NIX601", message=f"{dependency.bare} is not known to be in nixpkgs", hint=hint)


def _near(dependency: Dependency, known: Collection[str]) -> str | None:
    """Return the id most like an unknown one: another case, with or without `lib`, or another type."""
    names = {key.rpartition("/")[2].lower(): key for key in sorted(known)}
    name = dependency.name.lower()
    found = names.get(name) or names.get(f"lib{name}") or names.get(name.removeprefix("lib"))
    return found or nearest(dependency.id, known, 0.85)


def _attribute(name: str) -> str:
    """Return a name that can be an attribute of nixpkgs."""
    text = re.sub(r"[^A-Za-z0-9_-]", "-", name)
    return text if text[0].isalpha() else f"_{text}"
