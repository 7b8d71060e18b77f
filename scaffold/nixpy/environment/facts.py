"""Compute the facts of one project for the Nix files in `templates/nix`.

A fact is a string, true, a list or a set. `{"nix": TEXT}` is a Nix expression. `"comment"`, together with `"nix"` or
`"value"`, is a comment after it. `{"parts": [{"when": CONDITION, "value": …}]}` are lists or sets for some systems.

`templates/facts.json` lists every fact in the order of the generated file, with a comment, and with its value in an
empty project if a style requires it. copier reads the same file for a new project.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from nixpy.core import templates
from nixpy.core.errors import InternalError
from nixpy.core.target import LINUX_SYSTEMS
from nixpy.core.text import visible_line
from nixpy.diagnostics.diagnostic import shorten
from nixpy.libraries.match import Library
from nixpy.locks.model import Unavailable
from nixpy.nixpkgs import python_packages
from nixpy.nixpkgs.expression import condition
from nixpy.project.managers import FOLDER
from nixpy.project.project import NIXPY_LOCK
from nixpy.styles.styles import Style

if TYPE_CHECKING:
    from nixpy.environment.model import Environment

COMMON = frozenset(
    {
        "style",
        "interpreter",
        "allow-marked",
        "sonames",
        "driver",
        "external",
        "features",
        "manager",
        "venv",
        "shell",
        "lock",
        "digest",
    }
)
"""The facts that every style has; `templates/nix/project.nix` takes these."""


class FactError(InternalError):
    """An unknown fact of a style, or a missing required one: a bug in nixpy."""


def facts(env: Environment) -> dict[str, Any]:
    """Return the facts of a project.

    Empty ones are left out, since the Nix functions have defaults for these.

    Raises FactError if they are not the facts that the style takes.
    """
    found = {**_common(env), **_of_style(env)}
    return checked(env.style, {name: value for name, value in found.items() if not _is_empty(value)})


def checked(style: Style, found: dict[str, Any]) -> dict[str, Any]:
    """Return the facts unchanged.

    Raises FactError if they are not the arguments of the style's Nix function.
    """
    takes = style.facts
    if unlisted := found.keys() - templates.data("facts.json").keys():
        raise FactError(f"facts.json does not list the fact `{min(unlisted)}`, so no template prints it")
    if superfluous := found.keys() - takes.keys() - COMMON:
        raise FactError(f"style {style.name} takes no fact `{min(superfluous)}`")
    if missing := {name for name, required in takes.items() if required} - found.keys():
        raise FactError(f"style {style.name} takes the fact `{min(missing)}`, which nixpy does not have")
    return found


def _is_empty(value: object) -> bool:
    return value is None or value is False or value in ("", [], {}) or value == {"parts": []}


def _common(env: Environment) -> dict[str, Any]:
    nixpy_lock = env.nixpy_lock
    unopened = frozenset(wheel.name for wheel in nixpy_lock.wheels if wheel.guessed)
    drivers = (library for library in env.libraries if library.provider == "host-driver")
    place = str(PurePosixPath(env.settings.file).with_name(NIXPY_LOCK))
    return {
        "style": env.style.name,
        "interpreter": {"nix": "pkgs.python" + nixpy_lock.python.replace(".", "")},
        "sonames": {"parts": list(_sonames(env.rendered, nixpy_lock.systems, unopened))},
        "allow-marked": [python_packages.spelled(name) for name in env.settings.allow_marked],
        "driver": any(library.wanted for library in drivers) or any(one.driver for one in env.features),
        "external": env.external.facts(nixpy_lock.systems, env.external_opened) if env.external else None,
        # A feature without a Nix file only changes the other facts.
        "features": [feature.name for feature in env.features if feature.has_nix],
        "manager": env.manager and {key: one for key, one in env.manager.facts().items() if not _is_empty(one)},
        "venv": env.venv if env.venv != FOLDER and env.style.folder == FOLDER else None,
        "shell": _shell(env),
        "lock": place if place != NIXPY_LOCK else None,
        "digest": nixpy_lock.inputs,
    }


def _shell(env: Environment) -> dict[str, Any]:
    programs, settings = env.programs, env.settings
    substitutes = programs.substitutes.values()
    wheels = {wheel.name for wheel in env.nixpy_lock.wheels}
    packages = [
        *(f"pkgs.{name}" for name in settings.packages),
        *(item.expression for item in substitutes),
        *(text for feature in env.features for text in feature.packages),
    ]
    native = [*(f"pkgs.{name}" for name in programs.native), *(item.expression for item in substitutes)]
    variables = {name: text for feature in env.features for name, text in feature.variables(wheels).items()}
    shell = {
        "packages": _expressions(dict.fromkeys(packages)),
        "inputs": _expressions(sorted({text for feature in env.features for text in feature.inputs})),
        "native": _expressions(native),
        "programs": {
            item.variable: {"nix": f'lib.getExe\' {item.expression} "{item.program}"'}
            for item in substitutes
            if item.variable
        },
        "variables": {**variables, **settings.env},
        "withoutLoader": shorten(programs.without_loader),
        "hook": settings.shell_hook,
    }
    return {name: value for name, value in shell.items() if not _is_empty(value)}


def _of_style(env: Environment) -> dict[str, Any]:
    takes = env.style.facts
    found = {
        name: fact["empty"] for name, fact in templates.data("facts.json").items() if "empty" in fact and name in takes
    }
    found["requirements"] = list(env.requirements)
    if "hostSonames" in takes:
        drivers = {library.soname for library in env.libraries if library.provider == "host-driver"}
        found["hostSonames"] = sorted(drivers)
    if "openedSonames" in takes:
        found["openedSonames"] = list(env.opened)
    if "wheels" in takes:
        found["wheels"] = {
            **found["wheels"],
            **({"addresses": {"nix": env.addresses}} if env.addresses else {}),
            **_missing(env),
            **({"opened": True} if env.opened else {}),
        }
    if env.packages:
        if env.packages.direct:
            found["packages"] = {item.name: item.spelled for item in env.packages.direct}
        found["others"] = {item.name: item.spelled for item in env.packages.others}
        found["versions"] = "locked" if env.settings.versions == "locked" else None
    if env.own_package:
        found |= {"version": env.own_package["version"]} if "version" in takes else {"own": _own(env, env.own_package)}
    if env.lang2nix:
        found |= env.lang2nix
        if "overrides" in takes and (overrides := _overrides(env)):
            found["overrides"] = overrides
    if "sdists" in takes:
        found["sdists"] = _sdists(env.nixpy_lock.unavailable)
    return found


def _own(env: Environment, package: Mapping[str, Any]) -> dict[str, Any]:
    file = PurePosixPath(env.settings.file)
    found = {
        **package,
        "source": {"nix": ("../" * (len(file.parts) - 1) or "./") + "."},
        "file": file.name if file.name != "nixpy.nix" else None,
    }
    # A build system without packages (`requires = []`) is not the same as no build system.
    kept = ("build-system",) if package["build-system"] == [] else ()
    return {name: value for name, value in found.items() if name in kept or not _is_empty(value)}


def _missing(env: Environment) -> dict[str, Any]:
    """Return the sonames that no package supplies on Linux, with their wheels."""
    unopened = frozenset(wheel.name for wheel in env.nixpy_lock.wheels if wheel.guessed)
    found = [{"value": item.soname, "comment": shorten(item.needed_by, unopened)} for item in env.unsupplied]
    known = {item.soname for item in env.unsupplied}
    found += [
        {"value": soname, "comment": "ignored in the settings"}
        for soname in env.settings.libraries.ignore
        if soname not in known
    ]
    return {"missing": found} if found else {}


def _overrides(env: Environment) -> dict[str, Any]:
    """Return the libraries that each wheel links to and opens.

    They are for uv2nix and poetry2nix, and empty if there are none.
    """
    if not env.overrides:
        return {}
    siblings = {
        item.name: {"value": " ".join(item.siblings), "comment": ", ".join(item.shipped)}
        for item in env.overrides
        if item.siblings
    }
    opens = {
        item.name: {"value": list(item.places), "comment": ", ".join(item.opened) or "from the settings"}
        for item in env.overrides
        if item.places
    }
    return {
        "links": {item.name: " ".join(item.sonames) for item in env.overrides},
        **({"siblings": siblings} if siblings else {}),
        **({"opens": opens} if opens else {}),
        **_missing(env),
    }


def _sdists(unavailable: Iterable[Unavailable]) -> dict[str, list[str]]:
    """Return the packages with an sdist that lack a wheel for some system.

    Each has its build system; the default is setuptools (PEP 517).
    """
    found = {item.name: item for item in unavailable if item.sdist}
    return {
        name: list(item.sdist_facts.build if item.sdist_facts and item.sdist_facts.build else ("setuptools",))
        for name, item in sorted(found.items())
    }


def _expressions(texts: Iterable[str]) -> list[dict[str, str]]:
    return [{"nix": text} for text in texts]


def _sonames(
    libraries: Iterable[Library], systems: Sequence[str], unopened: frozenset[str]
) -> Iterator[dict[str, Any]]:
    """Yield the sonames in groups of the same systems, Linux first.

    Each has its expression and the wheels that need it.
    """
    linux = tuple(sorted(set(systems) & set(LINUX_SYSTEMS)))
    parts = (part for library in libraries for part in _by_kernel(library, linux))

    def key(library: Library) -> tuple[bool, tuple[str, ...]]:
        return (library.systems != linux, library.systems)

    for (_, here), group in groupby(sorted(parts, key=lambda library: (key(library), library.soname)), key=key):
        yield {
            "when": condition(here, systems),
            "value": {
                library.soname: {"nix": library.expression, "comment": reason(library, unopened)} for library in group
            },
        }


def reason(library: Library, unopened: frozenset[str] = frozenset()) -> str:
    """Return the packages that link to a library, then those that open it.

    An example is `numpy; opened by mss, mss/linux/xcbhelpers.py`.
    """
    linking = {one.package for one in library.evidence if not one.opened}
    opening = {
        one.package: one.path
        for one in reversed(library.evidence)  # the strongest evidence of a package wins
        if one.opened and one.certainty != "possible" and one.package not in linking
    }
    named = [name for name in library.needed_by if name not in opening]
    opened = sorted(opening.keys() & {*library.needed_by})
    place = opening[opened[0]] if len(opened) == 1 else None
    return "; ".join(
        [
            *([shorten(named, unopened)] if named else []),
            *([f"opened by {shorten(opened)}" + (f", {visible_line(place)}" if place else "")] if opened else []),
        ]
    )


def _by_kernel(library: Library, linux: tuple[str, ...]) -> Iterable[Library]:
    """Yield the Linux and the Darwin part of a library separately.

    They use different variables.
    """
    here = tuple(system for system in library.systems if system in linux)
    elsewhere = tuple(system for system in library.systems if system not in linux)
    for systems in (here, elsewhere):
        if systems:
            yield replace(library, systems=systems)
