"""Find the build inputs of a package without a wheel.

These are a compiler, the tools of its build system, and its libraries.

`sdists.csv` lists the libraries and tools of packages, as their own `[external]` could; each row has the inputs with
which nixpkgs builds the package (pkgs/development/python-modules). `build-systems.csv` lists the programs that a build
requirement starts. `program` means that the wheel of the requirement contains a program itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nixpy.core.csv_table import rows
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.external.build_inputs import BuildInputs, supply
from nixpy.external.depurl import Dependency, parse
from nixpy.external.table import Role
from nixpy.locks.model import Unavailable
from nixpy.styles import styles
from nixpy.styles.styles import Style

_HERE = Path(__file__).parent
_UNKNOWN = {
    "folder": "nixpy cannot read its folder, so it does not know whether the build compiles files.",
    "repository": "nixpy reads no repository, so it does not know whether the build compiles files.",
}
_GIT = "dep:generic/git"  # the installer starts it
_ALWAYS = ("dep:virtual/compiler/c", "dep:generic/pkg-config")


@dataclass(frozen=True, slots=True, kw_only=True)
class _SdistRow:
    """The needs of one package or build system."""

    build: tuple[Dependency, ...] = ()
    host: tuple[Dependency, ...] = ()
    program: bool = False


@cache
def sdists() -> Mapping[str, _SdistRow]:
    """Return the known needs of packages, by normalised name."""
    return {
        name: _SdistRow(build=_parsed(build), host=_parsed(host))
        for _, (name, build, host) in rows(_HERE / "sdists.csv", "package", "build", "host")
    }


@cache
def build_systems() -> Mapping[str, _SdistRow]:
    """Return the known needs of build requirements, by normalised name."""
    return {
        name: _SdistRow(build=_parsed(build), program=program == "yes")
        for _, (name, build, program) in rows(_HERE / "build-systems.csv", "requirement", "build", "program")
    }


def is_program(requirement: str) -> bool:
    """Return whether a build requirement is a program in a wheel."""
    return build_systems().get(requirement, _SdistRow()).program


def known(name: str) -> tuple[tuple[Role, Dependency], ...]:
    """Return the known needs of the package `name` (normalised)."""
    row = sdists().get(name, _SdistRow())
    return (*(("build", one) for one in row.build), *(("host", one) for one in row.host))


def started(requirements: Collection[str]) -> tuple[tuple[Role, Dependency], ...]:
    """Return the programs that a build system is known to start.

    `requirements` are those of the build system.
    """
    return tuple(("build", one) for key, row in build_systems().items() if key in requirements for one in row.build)


def for_sdists(unavailable: Iterable[Unavailable], mapped: Mapping[str, str]) -> BuildInputs:
    """Return the packages that build all of `unavailable` that have files to compile.

    `mapped` are the user's expressions by id.
    """
    where: dict[str, list[Unavailable]] = {}
    for item in unavailable:
        if item.compiled:
            where.setdefault(item.name, []).append(item)
    found = BuildInputs()
    for name, items in where.items():
        systems = sorted(item.system for item in items)
        requirements = {one for item in items for one in (item.sdist_facts.build if item.sdist_facts else ())}
        needs: list[tuple[Role, Dependency]] = [("build", one) for one in _parsed(" ".join(_ALWAYS))]
        needs += [*known(name), *started(requirements)]
        if any(item.source == "repository" for item in items):
            needs += [("build", one) for one in _parsed(_GIT)]
        for role, dependency in dict.fromkeys(needs):
            found += supply(dependency, role, name, name, systems, mapped)
    return found


def unavailable_diagnostics(
    unavailable: Iterable[Unavailable], python: str, style: str | None = None
) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each package that lacks a wheel for some system.

    It explains what the style does about it.
    """
    by_package: dict[tuple[str, str | None, bool], list[Unavailable]] = {}
    one = styles.find(style) if style else None
    building = one.builds_sources if one else True
    for item in unavailable:
        if item.source == "folder" and (not building or not item.compiled):
            continue  # the installer builds it, or NIX305 says that the style does not
        by_package.setdefault((item.name, item.version, item.sdist), []).append(item)
    for (name, version, sdist), items in by_package.items():
        where = ", ".join(sorted(item.system for item in items))
        how = "it must be built from its source" if sdist else "it cannot be installed there"
        what = f"{name} {version or ''}".strip()
        message = f"{what} has no wheel for Python {python} on {where}: {how}"
        if items[0].source == "folder":
            message = f"{what} is a local folder, which {_builder(one)} builds"
        yield Diagnostic(
            code="NIX201",
            package=name,
            message=message,
            hint=_build_hint(items[0], style) if sdist else None,
        )


def _builder(style: Style | None) -> str:
    return "the installer" if style is None or style.folder else "Nix"


def _build_hint(item: Unavailable, style: str | None) -> str:
    one = styles.find(style) if style else None
    if one and not one.builds_sources:
        return (
            f"Follow the documentation of {one.name}, which builds it."
            if one.reads
            else (
                f"Style {one.name} does not build it. Run `nixpy init --style {styles.recommend((), ())[0].name}`: "
                "the shell of this style builds it."
            )
        )
    if not item.compiled:
        return " ".join((f"It is pure Python; {_builder(one)} builds it.", *_opened(item)))
    place = "The shell" if one is None or one.folder else "nixpy.nix"
    sentences = [f"{place} supplies what its build needs: {_summary(item)}."]
    if item.name not in sdists():
        sentences.append("If it links to libraries, add them to `packages` in [tool.nixpy].")
    if not item.sdist_facts and item.source:
        sentences.append(_UNKNOWN[item.source])
    elif not item.sdist_facts:
        sentences.append("nixpy has not read its source; run `nixpy sync --rescan` with a network.")
    if one and not one.build_programs and (programs := _programs(item)):
        sentences.append(f"Its build starts {', '.join(programs)} from wheels, which do not start under style {style}.")
    return " ".join(sentences)


def _opened(item: Unavailable) -> Iterator[str]:
    """Yield a sentence about what the sources of a pure package open at run time."""
    opens = item.sdist_facts.opens if item.sdist_facts else None
    if opens is None:
        yield "nixpy has not read which libraries it opens at run time; run `nixpy sync --rescan` with a network."
    elif names := dict.fromkeys(one.names[0] for one in opens if item.system in one.systems):
        yield f"It opens {', '.join(names)} at run time."


def _programs(unavailable: Unavailable) -> tuple[str, ...]:
    """Return the build requirements of a package that are programs in wheels."""
    return tuple(filter(is_program, unavailable.sdist_facts.build if unavailable.sdist_facts else ()))


def _summary(unavailable: Unavailable) -> str:
    """Return the packages of nixpkgs that build the package, in words."""
    inputs = for_sdists([unavailable], {}).inputs
    return ", ".join(dict.fromkeys(one.expression for one in inputs))


def _parsed(ids: str) -> tuple[Dependency, ...]:
    return tuple(map(parse, ids.split()))
