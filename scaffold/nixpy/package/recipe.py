"""Translate a release into the names of nixpkgs for the template.

Diagnostics for the user are part of the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from packaging.utils import canonicalize_name

from nixpy.core.target import Target
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.nixpkgs.executables import substitutes
from nixpy.nixpkgs.python_packages import attribute, identifier, neighbours, unknown_package
from nixpy.nixpkgs.requirements import SETUPTOOLS, Needed, needed_requirements
from nixpy.package.licences import licences, named
from nixpy.package.recipe_inputs import RecipeInputs, Spelled, gather_inputs, is_tool, spell
from nixpy.sdists.release import PackageRelease

# Extras with these names are for developers of the package; `format`, `mypy` and the like may be for its users.
_DEVELOPERS = frozenset(
    {
        *("ci", "dev", "develop", "development", "doc", "docs", "documentation"),
        *("lint", "linting", "pre-commit", "qa", "test", "testing", "tests"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A release in the names of nixpkgs. `name` is its attribute and `pname`.

    An `application` is used for its programs and is not a library for other packages. `extras` are those for users of
    the package, as in nixpkgs' optional-dependencies. Left out are extras for its developers, extras that add nothing
    on Linux, and extras with packages that are not known to be in nixpkgs, since callPackage fails for a missing
    argument.
    """

    name: str
    release: PackageRelease
    application: bool
    python: str  # 3.13
    build: tuple[Needed, ...]
    needs: tuple[Needed, ...]
    extras: tuple[tuple[str, tuple[Needed, ...]], ...]
    inputs: RecipeInputs
    diagnostics: tuple[Diagnostic, ...]

    @property
    def place(self) -> str:
        """The path of its file in the tree of nixpkgs.

        Source: doc/languages-frameworks/python.section.md, "Contributing"; for applications pkgs/by-name/README.md.
        """
        if self.application:
            return f"pkgs/by-name/{self.name[:2].lower()}/{self.name}/package.nix"
        return f"pkgs/development/python-modules/{self.name}/default.nix"

    def spelled_inputs(self, *, nixpkgs: bool) -> Spelled:
        """Return the inputs outside the Python set.

        They are in the style of nixpkgs itself, or for release 24.11 and later.
        """
        needs = {*self.build, *self.needs, *(need for _, needs in self.extras for need in needs)}
        return spell(self.inputs, self.name, needs, nixpkgs=nixpkgs, application=self.application)

    @property
    def main(self) -> str | None:
        """The program with the name of the package, else the first one."""
        programs = self.release.programs
        return self.name if self.name in programs else next(iter(programs), None)

    def use(self, file: str) -> str:
        """Return Nix code that adds the package in `file` to a Python.

        An application is called as a package. `file` is a path for Nix.
        """
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
        """Return the line for pkgs/top-level/python-packages.nix, which is sorted.

        Returns None for pkgs/by-name.
        """
        if self.application:
            return None
        replaced = self.spelled_inputs(nixpkgs=True).replaced
        # The Python set has other packages with these names.
        given = f"{{ inherit (pkgs) {' '.join(replaced)}; }}" if replaced else "{ }"
        return f"  {self.name} = callPackage ../development/python-modules/{self.name} {given};"

    def neighbours(self) -> tuple[str | None, str | None]:
        """Return the known attributes before and after it in that file."""
        return neighbours(self.name)


def recipe(release: PackageRelease, target: Target, *, application: bool = False) -> Recipe:
    """Return a release in the names of nixpkgs.

    Its requirements are those on Linux for the Python of `target`.
    """
    metadata, pyproject = release.metadata, release.pyproject
    requires, extras, complete = metadata.requires, metadata.extras, metadata.complete
    if not complete and pyproject and pyproject.requires is not None:
        requires, extras, complete = pyproject.requires, pyproject.extras, True
    package_name = canonicalize_name(metadata.name)
    builds = pyproject.build if pyproject else None
    build = SETUPTOOLS if builds is None else builds
    plain = needed_requirements(requires, package_name, frozenset(), target)
    systems = () if release.is_wheel else needed_requirements(build, package_name, frozenset(), target)
    built_with = gather_inputs(release, systems, target)
    # No package requires the extras of an application.
    offered = (
        {}
        if application
        else {extra: needed_requirements(requires, package_name, frozenset({extra}), target) for extra in extras}
    )
    own_needs = {
        extra: more
        for extra, needs in sorted(offered.items())
        if (more := tuple(need for need in needs if need not in plain))
    }
    kept = {
        extra: needs
        for extra, needs in own_needs.items()
        if extra not in _DEVELOPERS and all(need.known for need in needs)
    }
    found = Recipe(
        name=identifier(package_name),
        release=release,
        application=application,
        python=target.short_python,
        # The hook of maturin contains it, and programs are among the tools.
        build=tuple(need for need in systems if need.name != "maturin" and not is_tool(need)),
        needs=plain,
        extras=tuple(kept.items()),
        inputs=built_with,
        diagnostics=(),
    )
    left = {extra: needs for extra, needs in own_needs.items() if extra not in kept}
    return replace(
        found,
        diagnostics=(*_diagnostics(found, complete=complete), *_left_out(found.name, left), *built_with.diagnostics),
    )


def _diagnostics(found: Recipe, *, complete: bool) -> Iterator[Diagnostic]:
    name = found.name
    program = substitutes().get(name)
    if found.application and program and not program.variable:  # with one, it is a program that the package starts
        yield Diagnostic(
            code="NIX501",
            package=name,
            message=f"nixpkgs has the programs of {name}: {program.expression}",
            hint="Use those, unless you need this version.",
        )
    elif attribute(name) is not None:
        yield Diagnostic(
            code="NIX501",
            package=name,
            message=f"nixpkgs has {name}",
            hint="Use python3Packages.toPythonApplication, which makes an application of this library."
            if found.application
            else "Use that package, unless you need this version; this file replaces it for every package "
            "that needs it.",
        )
    if not found.release.of_pypi:
        yield Diagnostic(
            code="NIX510",
            package=name,
            message=f"fetchPypi may not find {name}: its index is not known to be PyPI or a mirror of PyPI",
            hint="Replace fetchPypi by `fetchurl`, with the address on that index and the same hash.",
        )
    if found.application and not found.release.programs:
        yield Diagnostic(
            code="NIX507",
            package=name,
            message=f"{name} is not known to install a program",
            hint="Leave out --application if it is a library.",
        )
    used = {*found.build, *found.needs, *(need for _, needs in found.extras for need in needs)}
    for unknown in sorted({need.attribute for need in used if not need.known}):
        yield Diagnostic(
            code="NIX502",
            package=unknown,
            message=f"{unknown} is not known to be in nixpkgs",
            hint=unknown_package(unknown.removeprefix("_")),
        )
    for need in sorted(used, key=lambda need: need.attribute):
        if need.extras:
            yield Diagnostic(
                code="NIX506",
                package=need.attribute,
                message=f"{need.attribute} is required with {', '.join(need.extras)}",
                hint="If the package in nixpkgs lacks these optional-dependencies, name their packages instead.",
            )
    if not complete:
        yield Diagnostic(
            code="NIX503",
            package=name,
            message=f"the sdist of {name} does not list its dependencies before it is built, and there is no "
            "wheel that lists them",
            hint="Compare `dependencies` with its setup.py.",
        )
    if not licences(found.release.metadata):
        words = named(found.release.metadata)
        yield Diagnostic(
            code="NIX504",
            package=name,
            message=f"the licence of {name} is not one that nixpy knows: {words}"
            if words
            else f"{name} states no licence",
            hint="Set meta.license to an attribute of lib.licenses.",
        )


def _left_out(name: str, extras: Mapping[str, tuple[Needed, ...]]) -> Iterator[Diagnostic]:
    """Yield NIX508 for extras that are left out, once for each reason."""
    if names := ", ".join(sorted(_DEVELOPERS & extras.keys())):
        yield Diagnostic(
            code="NIX508",
            package=name,
            message=f"nixpy left out extras that are for the developers of {name}: {names}",
            hint="Add what the tests need to nativeCheckInputs.",
        )
    lacking = {
        extra: ", ".join(sorted(need.attribute for need in needs if not need.known))
        for extra, needs in extras.items()
        if extra not in _DEVELOPERS
    }
    if lacking:
        which = "; ".join(f"{extra} ({names})" for extra, names in lacking.items())
        yield Diagnostic(
            code="NIX508",
            package=name,
            message=f"nixpy left out extras with packages that are not known to be in nixpkgs: {which}",
            hint="Package them, too, and add the extra.",
        )
