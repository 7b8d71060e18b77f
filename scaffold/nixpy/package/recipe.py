"""From a release to the names of nixpkgs: all that the template needs, and what the user should know."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from packaging.utils import canonicalize_name

from nixpy.libraries.python_packages import attribute, identifier, neighbours
from nixpy.package.licences import licences, named
from nixpy.package.needed import SETUPTOOLS, VERSION_VARIABLES, Needed, needed
from nixpy.package.release import Release
from nixpy.problems import Problem
from nixpy.target import Target

_RUST = frozenset({"maturin", "setuptools-rust"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A release in nixpkgs' words. `name` is its attribute and `pname`; an `application` is there for its programs and
    no library for other packages.
    """

    name: str
    release: Release
    application: bool
    python: str  # 3.13
    build: tuple[Needed, ...]
    needs: tuple[Needed, ...]
    extras: tuple[tuple[str, tuple[Needed, ...]], ...]
    problems: tuple[Problem, ...]

    @property
    def place(self) -> str:
        """Where nixpkgs keeps it: the path in its tree (doc/languages-frameworks/python.section.md, Contributing; for
        applications pkgs/by-name/README.md).
        """
        if self.application:
            return f"pkgs/by-name/{self.name[:2].lower()}/{self.name}/package.nix"
        return f"pkgs/development/python-modules/{self.name}/default.nix"

    def env(self, *, nixpkgs: bool) -> dict[str, Any]:
        """Return what `package/default.nix.jinja` renders, in nixpkgs' own style or for 24.11 and later."""
        release, metadata = self.release, self.release.metadata
        stem, version, tag = _parts(release.filename)
        known = licences(metadata)
        names = {need.attribute for need in self.build}
        groups = [("build-system", self.build), ("dependencies", self.needs)]
        groups.append(("optional-dependencies", tuple(need for _, needs in self.extras for need in needs)))
        return {
            "nixpkgs": nixpkgs,
            "application": self.application,
            "main": self.main,
            "name": self.name,
            "version": metadata.version,
            "wheel": release.is_wheel,
            "setup_py": not release.is_wheel and (release.pyproject is None or release.pyproject.build is None),
            "src": {
                "pname": stem,
                "version": version,
                "extension": _extension(release.filename),
                "python": tag,
                "hash": "sha256-" + base64.b64encode(bytes.fromhex(release.sha256)).decode(),
            },
            "arguments": list(_arguments(groups)),
            "build": self.build,
            "variables": [variable for name, variable in VERSION_VARIABLES.items() if name in names],
            "needs": self.needs,
            "extras": self.extras,
            "modules": release.modules,
            "description": (metadata.summary or "").rstrip(". "),
            "homepage": metadata.homepage,
            "licences": [f"lib.licenses.{attribute}" for attribute in known],
            "licence": named(metadata),
        }

    @property
    def main(self) -> str | None:
        """The program that bears its name, else the first."""
        programs = self.release.programs
        return self.name if self.name in programs else next(iter(programs), None)

    def use(self, file: str) -> str:
        """Return the lines of Nix that put `file` (a path Nix reads) into a Python, or make it a package."""
        python = f"pkgs.python{self.python.replace('.', '')}"
        if self.application:
            return f"{self.name} = pkgs.callPackage {file} {{ python3Packages = {python}Packages; }};"
        return (
            f"python = {python}.override {{\n"
            "  self = python;\n"
            "  packageOverrides = final: previous: {\n"
            f"    {self.name} = final.callPackage {file} {{ }};\n"
            "  };\n"
            "};"
        )

    def line(self) -> str | None:
        """Return the line for pkgs/top-level/python-packages.nix, whose names are sorted; pkgs/by-name needs none."""
        if self.application:
            return None
        return f"  {self.name} = callPackage ../development/python-modules/{self.name} {{ }};"

    def neighbours(self) -> tuple[str | None, str | None]:
        """Return the attributes that are known to stand next to it there."""
        return neighbours(self.name)


def recipe(release: Release, target: Target, *, application: bool = False) -> Recipe:
    """Return a release in nixpkgs' words, with what holds on Linux for the Python of `target`."""
    metadata, pyproject = release.metadata, release.pyproject
    requires, extras, complete = metadata.requires, metadata.extras, metadata.complete
    if not complete and pyproject and pyproject.requires is not None:
        requires, extras, complete = pyproject.requires, pyproject.extras, True
    own = canonicalize_name(metadata.name)
    builds = pyproject.build if pyproject else None
    build = SETUPTOOLS if builds is None else builds
    plain = needed(requires, own, frozenset(), target)
    found = Recipe(
        name=identifier(own),
        release=release,
        application=application,
        python=target.short_python,
        build=() if release.is_wheel else needed(build, own, frozenset(), target),
        needs=plain,
        extras=tuple(
            (extra, tuple(n for n in needed(requires, own, frozenset({extra}), target) if n not in plain))
            for extra in sorted(extras)
            if not application  # of which nobody asks for one
        ),
        problems=(),
    )
    return replace(found, problems=tuple(_problems(found, complete=complete)))


def _arguments(groups: Iterable[tuple[str, tuple[Needed, ...]]]) -> Iterator[tuple[str, list[str]]]:
    """Yield the arguments of each group that no earlier one has."""
    seen: set[str] = set()
    for title, needs in groups:
        names = sorted({need.attribute for need in needs} - seen)
        seen.update(names)
        if names:
            yield title, names


def _parts(filename: str) -> tuple[str, str, str]:
    """Return name, version and Python tag in a file's name as they are spelled there, the tag of a wheel alone."""
    if filename.endswith(".whl"):
        name, version, tag = filename.split("-")[:3]
        return name, version, tag
    name, _, version = filename.removesuffix(f".{_extension(filename)}").rpartition("-")
    return name, version, ""


def _extension(filename: str) -> str:
    return next((e for e in ("tar.gz", "tar.bz2", "tar.xz") if filename.endswith(e)), filename.rpartition(".")[2])


def _problems(found: Recipe, *, complete: bool) -> Iterator[Problem]:
    name = found.name
    if attribute(name) is not None:
        yield Problem(
            code="NIX501",
            package=name,
            message=f"nixpkgs has {name}",
            hint="It is a library there: python3Packages.toPythonApplication makes an application of it."
            if found.application
            else "This file would take its place for every package that needs it.",
        )
    if found.application and not found.release.programs:
        yield Problem(
            code="NIX507",
            package=name,
            message="it is not known to install a program",
            hint="A library is rendered without --application.",
        )
    used = {*found.build, *found.needs, *(need for _, needs in found.extras for need in needs)}
    for unknown in sorted({need.attribute for need in used if not need.known}):
        yield Problem(
            code="NIX502",
            package=unknown,
            message=f"{unknown} is not known to be in nixpkgs",
            hint=f"Look for it at search.nixos.org, or package it too: nixpy package {unknown.removeprefix('_')}.",
        )
    for need in sorted(used, key=lambda need: need.attribute):
        if need.extras:
            yield Problem(
                code="NIX506",
                package=need.attribute,
                message=f"{need.attribute} is asked for with {', '.join(need.extras)}",
                hint="Where nixpkgs' has no such optional-dependencies, name what is in them instead.",
            )
    if not complete:
        yield Problem(
            code="NIX503",
            package=name,
            message="its sdist leaves the dependencies to its build, and there is no wheel that tells them",
            hint="Compare `dependencies` with its setup.py.",
        )
    if not licences(found.release.metadata):
        words = named(found.release.metadata)
        yield Problem(
            code="NIX504",
            package=name,
            message=f"its licence is not one that is known: {words}" if words else "it names no licence",
            hint="Set meta.license to one of lib.licenses.",
        )
    if any(need.attribute in _RUST for need in found.build):
        yield Problem(
            code="NIX505",
            package=name,
            message="it is built with Rust, whose packages must be fetched beforehand",
            hint="Add cargoDeps and rustPlatform.cargoSetupHook, as nixpkgs' manual on Rust says for Python.",
        )
