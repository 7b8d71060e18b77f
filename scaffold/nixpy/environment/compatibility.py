"""Report wheels that are incompatible with the chosen style and nixpkgs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from nixpy.analysis.nixpylock import NixpyLock, Wheel
from nixpy.diagnostics.diagnostic import Diagnostic, shorten
from nixpy.libraries.match import Library
from nixpy.needs.derive import format_glibc
from nixpy.nixpkgs import releases
from nixpy.project.managers import FOLDER
from nixpy.styles.features import Feature, with_property
from nixpy.styles.styles import Style, in_words

_DRIVER_LIBRARIES = ("libcuda.so.", "libnvidia-ml.so.", "libnvcuvid.so.")  # of NVIDIA, found only in its driver


def diagnostics(
    nixpy_lock: NixpyLock, libraries: Iterable[Library], style: Style, features: Sequence[Feature], nixpkgs: str
) -> Iterator[Diagnostic]:
    """Yield diagnostics about wheels that do not fit.

    A wheel is missing, needs a newer glibc, or uses `find_library`, which finds nothing.
    """
    # A package without a wheel may still be in nixpkgs. Few projects have such a package, so the tables are read only
    # for those.
    if nixpy_lock.unavailable and not style.from_nixpkgs:
        from nixpy.external.builds import unavailable_diagnostics

        yield from unavailable_diagnostics(nixpy_lock.unavailable, nixpy_lock.python, style.name)
    yield from _newer_glibc(nixpy_lock.wheels, nixpkgs)
    yield from _own_driver(nixpy_lock.wheels)
    yield from _unanswered(libraries, style, features)


def _newer_glibc(wheels: Iterable[Wheel], nixpkgs: str) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each wheel that needs a newer glibc than nixpkgs.

    The tag of the wheel may allow the older one.
    """
    release = releases.release(nixpkgs)
    newer = {wheel.name: wheel for wheel in wheels if wheel.needs.glibc and wheel.needs.glibc > release.glibc}
    for wheel in newer.values():
        needed, there = format_glibc(wheel.needs.glibc or ()), format_glibc(release.glibc)
        newer_release = releases.with_glibc(wheel.needs.glibc or ())
        yield Diagnostic(
            code="NIX203",
            package=wheel.name,
            message=f"{wheel.name} {wheel.version} needs glibc {needed}, but {release.branch} has {there}",
            hint=f"Run `nixpy init --nixpkgs {newer_release.branch}`."
            if newer_release
            else f"Require an older version of {wheel.name}.",
        )


def _own_driver(wheels: Iterable[Wheel]) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each wheel that contains a library of the host's driver."""
    found = {
        wheel.name: soname
        for wheel in wheels
        for soname in wheel.needs.provides
        if soname.startswith(_DRIVER_LIBRARIES)
    }
    for name, soname in found.items():
        yield Diagnostic(
            code="NIX231",
            package=name,
            message=f"{name} contains {soname}, a library of the driver, which must fit the kernel module of the host",
            hint=f"Use a version of {name} without this library.",
        )


def _unanswered(libraries: Iterable[Library], style: Style, features: Sequence[Feature]) -> Iterator[Diagnostic]:
    """Yield a diagnostic if packages find a supplied library only by `find_library`.

    It finds nothing in nixpkgs' Python.
    """
    asking = sorted(
        {name for one in libraries if one.wanted and one.provider == "nixpkgs" for name in _only_finding(one)}
    )
    answered = any(feature.answers_find_library for feature in features) or style.from_nixpkgs
    if asking and not answered and style.folder in (FOLDER, ""):  # else the Python is not from nixpkgs
        yield Diagnostic(
            code="NIX303",
            message=f"{shorten(asking)} {'calls' if len(asking) == 1 else 'call'} ctypes.util.find_library, which "
            "finds a library with nixpkgs' Python only if a compiler finds it",
            hint=_find_library_hint(style),
            feature=_finding_feature(style),
        )


def _only_finding(library: Library) -> frozenset[str]:
    """Return the packages that open a library, and only by `find_library`."""
    opening = [one for one in library.evidence if one.opened and one.certainty != "possible"]
    other = {one.package for one in opening if not one.find_library}
    return frozenset(one.package for one in opening) - other


def unopened(sonames: Sequence[str], style: Style) -> Iterator[Diagnostic]:
    """Yield NIX605 if the Python of the style does not find opened libraries.

    The project opens them by name.
    """
    if sonames and not style.opens_libraries:
        instead = style.instead.get("open-libraries")
        yield Diagnostic(
            code="NIX605",
            message=f"{shorten(sonames)} of [external] {'is' if len(sonames) == 1 else 'are'} not found by name when "
            f"the project runs under style {style.name}, which supplies only programs and headers",
            hint=f"Run `nixpy init --style {instead[0]}`: this style finds it by name."
            if instead
            else "Open the library by its path.",
        )


def _finding_feature(style: Style) -> str | None:
    """Return the feature with which `find_library` finds libraries.

    None means that the style does not work with it.
    """
    answering = with_property(lambda feature: feature.answers_find_library)
    return answering.name if answering.works_with(style.name) else None


def _find_library_hint(style: Style) -> str:
    answering = with_property(lambda feature: feature.answers_find_library)
    if name := _finding_feature(style):
        return f"Enable feature {name}: `nixpy init --feature {name}`."
    return f"Choose style {in_words(sorted(answering.styles))}, and enable feature {answering.name}."
