"""Find the build inputs of a package that are not Python packages.

These are tools and libraries of nixpkgs, and crates.

The sources are the sdist's own `[external]` (PEP 725), else `external/sdists.csv`, and `external/build-systems.csv` for
programs of the build system. nixpkgs has one version of each, so versions are not compared.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packaging.utils import NormalizedName, canonicalize_name

from nixpy.core.errors import NixpyError
from nixpy.core.target import Target
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.external import build_inputs, builds, table
from nixpy.external.depurl import Dependency
from nixpy.external.table import Role
from nixpy.nixpkgs import python_packages
from nixpy.nixpkgs.expression import attributes
from nixpy.nixpkgs.requirements import Needed
from nixpy.sdists.release import PackageRelease

# The tools of every build (pkgs/stdenv/generic), and those that meson-python propagates in nixpkgs.
_GIVEN = frozenset({"pkgs.stdenv.cc", "pkgs.gnumake"})
_BRINGING = frozenset({"meson-python"})
_RUST = frozenset({"pkgs.rustc", "pkgs.cargo"})
# Libraries with the name of another package in nixpkgs' Python set (pkgs/top-level/python-packages.nix), in addition to
# the table of packages.
_IN_PYTHON_SET = frozenset({"boost", "clang", "krb5", "libxml2", "libxslt", "pandoc", "snappy", "xmlsec", "zstd"})
# In the Python set these are the same packages as Python modules, which are right for a build.
_SAME = frozenset({"cmake", "meson", "ninja"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rust:
    """A package with Rust crates, which maturin or setuptools-rust builds.

    `root` is the folder of its Cargo.lock, an empty string for the top, or None if the sdist has none.
    """

    builder: str
    root: str | None

    @property
    def tools(self) -> tuple[str, ...]:
        """The hooks that build it (nixpkgs: doc/languages-frameworks/rust.section.md)."""
        if self.builder == "maturin":
            return ("rustPlatform.cargoSetupHook", "rustPlatform.maturinBuildHook")
        return ("cargo", "rustPlatform.cargoSetupHook", "rustc")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeInputs:
    """Expressions over `pkgs`, sorted.

    `native` runs while the package is built; the build links to `host`.
    """

    native: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    rust: Rust | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelled:
    """Inputs in a function with the arguments `arguments`.

    `replaced` are the arguments that its caller must pass, since the Python set has another package of that name.
    """

    native: tuple[str, ...]
    host: tuple[str, ...]
    arguments: tuple[str, ...]
    replaced: tuple[str, ...]


def gather_inputs(release: PackageRelease, build: Iterable[Needed], target: Target) -> RecipeInputs:
    """Return the build inputs of a release on `target`; none for a wheel."""
    if release.is_wheel:
        return RecipeInputs()
    build = tuple(build)
    systems = {need.name for need in build}
    rust = _rust(release, systems)
    asked, diagnostics = _external(release, target)
    if asked is None:
        asked = builds.known(canonicalize_name(release.metadata.name))
        # Without a wheel, nothing shows what the build links to.
        if release.compiled and not asked and not rust and not release.modules:
            diagnostics.append(_unknown_libraries(release.metadata.name))
    brought = builds.started(systems & _BRINGING)
    needs = [*asked, *(one for one in builds.started(systems) if one not in brought)]
    found: dict[Role, set[str]] = {"build": set(), "host": set(), "run": set()}
    for role, dependency in needs:
        expressions, told = _supplied(role, dependency, target)
        diagnostics += told
        found[role].update(expressions[:1])
        # Some libraries contain a program that prints their folder; strictDeps requires it among the tools.
        found["build" if role == "host" else role].update(expressions[1:])
    of_python = {f"pkgs.{need.attribute}" for need in build if not is_tool(need)}
    ready = _GIVEN | (_RUST if rust else frozenset()) | of_python
    return RecipeInputs(
        native=tuple(sorted(found["build"] - ready)),
        host=tuple(sorted(found["host"] - _GIVEN)),
        rust=rust,
        diagnostics=tuple(dict.fromkeys([*diagnostics, *_diagnostics(release.metadata.name, rust, found["run"])])),
    )


def is_tool(need: Needed) -> bool:
    """Return whether a build requirement is a wheel with a program.

    nixpkgs has that program only outside its Python set.
    """
    return not need.known and builds.is_program(need.name)


def spell(
    found: RecipeInputs, package_name: str, needs: Collection[Needed], *, nixpkgs: bool, application: bool
) -> Spelled:
    """Return the inputs of a package for a function.

    The Python set's callPackage calls the function.

    For an `application`, callPackage of nixpkgs calls it. If an attribute exists only in another release, or the Python
    set has another package of that name, the function takes `pkgs` instead. With `nixpkgs`, only the newest spelling is
    used.
    """
    taken = frozenset() if application else {need.attribute for need in needs}
    arguments: set[str] = set()
    replaced: set[str] = set()

    def spell(expression: str) -> str:
        newest = attributes(expression)[0]
        name = newest.partition(".")[0]
        other = not application and (name == package_name or _is_another(name))
        if name in taken or (not nixpkgs and (" or " in expression or other)):
            arguments.add("pkgs")
            return expression if " or " in expression and not nixpkgs else f"pkgs.{newest}"
        arguments.add(name)
        if other:
            replaced.add(name)
        return newest

    native, host = map(spell, found.native), map(spell, found.host)
    tools = found.rust.tools if found.rust else ()
    arguments.update(tool.partition(".")[0] for tool in tools)
    if found.rust:
        arguments.add("rustPlatform")
    return Spelled(
        native=tuple(sorted([*native, *tools])),
        host=tuple(sorted(host)),
        arguments=tuple(sorted(arguments)),
        replaced=tuple(sorted(replaced)),
    )


def _is_another(name: str) -> bool:
    return name in _IN_PYTHON_SET or (name not in _SAME and python_packages.is_attribute(name))


def _external(
    release: PackageRelease, target: Target
) -> tuple[tuple[tuple[Role, Dependency], ...] | None, list[Diagnostic]]:
    """Return the dependencies in `[external]` on `target`, or None.

    Returns None if it has no valid one, and diagnostics.
    """
    written = release.pyproject and release.pyproject.external
    if written is None:
        return None, []
    try:
        read = table.read({table.TABLE: written}, Path(release.filename, "pyproject.toml"))
    except NixpyError as error:
        diagnostic = Diagnostic(
            code="NIX509",
            package=release.metadata.name,
            message=f"[{table.TABLE}] of {release.metadata.name} cannot be read: {error.message}",
            hint="Compare nativeBuildInputs and buildInputs with it.",
        )
        return None, [diagnostic]
    assert read is not None  # noqa: S101  # it has the table
    environment = {**target.marker_environment(), "extra": ""}
    asked = read.select((), ())
    return tuple((role, one) for role, one in asked if one.marker is None or one.marker.evaluate(environment)), []


def _supplied(role: Role, dependency: Dependency, target: Target) -> tuple[tuple[str, ...], list[Diagnostic]]:
    supply = build_inputs.supply(dependency, role, "", "", (target.system,), {})
    if not supply.inputs and supply.diagnostics:
        place = "buildInputs" if role == "host" else "nativeBuildInputs"
        diagnostic = Diagnostic(
            code="NIX509",
            package=dependency.name,
            message=f"{dependency.bare}, which [{table.TABLE}] of the sdist names, is not known to be in nixpkgs",
            hint=f"Search for it on search.nixos.org, and add it to {place}.",
        )
        return (), [diagnostic]
    return tuple(one.expression for one in supply.inputs), []


def _unknown_libraries(name: str) -> Diagnostic:
    return Diagnostic(
        code="NIX223",
        package=name,
        message=f"the sdist of {name} contains code to compile, and nixpy does not know which libraries it links to",
        hint="Read its setup.py or its documentation, and add the libraries to buildInputs.",
    )


def _diagnostics(name: str, rust: Rust | None, runs_with: Collection[str]) -> Iterator[Diagnostic]:
    if runs_with:
        words = ", ".join(attributes(one)[0] for one in sorted(runs_with))
        yield Diagnostic(
            code="NIX509",
            package=name,
            message=f"{name} needs {words} at run time, as its [{table.TABLE}] says",
            hint="Write their paths into its code (substituteInPlace).",
        )
    if rust and rust.root is None:
        yield Diagnostic(
            code="NIX505",
            package=name,
            message=f"{name} is built with Rust, and its sdist has no Cargo.lock, which lists the versions of its "
            "crates",
            hint="Take src from its repository if that has a Cargo.lock (fetchFromGitHub). Then build it "
            "once, and replace lib.fakeHash by the hash that Nix prints.",
        )
    elif rust:
        yield Diagnostic(
            code="NIX505",
            package=name,
            message=f"{name} is built with Rust, and the hash of its crates is not known before Nix fetches them",
            hint="Build it once, and replace lib.fakeHash by the hash that Nix prints.",
        )


def _rust(release: PackageRelease, systems: Collection[NormalizedName]) -> Rust | None:
    """Return the crates of a release.

    Its Cargo.lock is in the nearest parent of the named crate, else the topmost one.
    """
    builder = next((one for one in ("maturin", "setuptools-rust") if one in systems), None)
    if builder is None:
        return None
    roots = release.cargo_roots
    named = release.pyproject and release.pyproject.cargo
    if named:
        crate = PurePosixPath(named)
        above = ["" if folder == PurePosixPath() else str(folder) for folder in (crate, *crate.parents)]
        roots = (*(folder for folder in above if folder in roots), *roots)
    return Rust(builder=builder, root=next(iter(roots), None))
