"""What of the wheels does not go with the style and the nixpkgs that were chosen for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from nixpy.analysis.nixpylock import NixpyLock, Wheel
from nixpy.diagnostics.diagnostic import Diagnostic, shorten
from nixpy.needs.derive import format_glibc
from nixpy.needs.dlopen import curated
from nixpy.nixpkgs import releases
from nixpy.project.managers import FOLDER
from nixpy.styles.features import Feature, with_property
from nixpy.styles.styles import Style, in_words


def diagnostics(nixpy_lock: NixpyLock, style: Style, features: Sequence[Feature], nixpkgs: str) -> Iterator[Diagnostic]:
    """Yield what is to be said of each: no wheel, a newer glibc, a question that this Python has no answer to."""
    # Without a wheel a package may still be in nixpkgs, where that is asked; few projects have any such package, so the
    # rest reads no tables.
    if nixpy_lock.unavailable and not style.from_nixpkgs:
        from nixpy.external.builds import unavailable_diagnostics

        yield from unavailable_diagnostics(nixpy_lock.unavailable, nixpy_lock.python, style.name)
    yield from _newer_glibc(nixpy_lock.wheels, nixpkgs)
    yield from _unanswered(nixpy_lock.wheels, style, features)


def _newer_glibc(wheels: Iterable[Wheel], nixpkgs: str) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each wheel that needs a newer glibc than nixpkgs has, whatever its tag says."""
    release = releases.release(nixpkgs)
    newer = {wheel.name: wheel for wheel in wheels if wheel.needs.glibc and wheel.needs.glibc > release.glibc}
    for wheel in newer.values():
        needed, there = format_glibc(wheel.needs.glibc or ()), format_glibc(release.glibc)
        yield Diagnostic(
            code="NIX203",
            package=wheel.name,
            message=f"{wheel.name} {wheel.version} needs glibc {needed}, but {release.branch} has {there}",
            hint="Choose a newer nixpkgs, or an older version of the package.",
        )


def _unanswered(wheels: Iterable[Wheel], style: Style, features: Sequence[Feature]) -> Iterator[Diagnostic]:
    """Yield a diagnostic where wheels ask for a library in a way that nixpkgs' Python has no answer to."""
    asking = sorted({wheel.name for wheel in wheels if wheel.needs.dlopen and curated(wheel.name).asks})
    answered = any(feature.answers_find_library for feature in features) or style.from_nixpkgs
    if asking and not answered and style.folder in (FOLDER, ""):  # else it is another one's Python
        yield Diagnostic(
            code="NIX303",
            message=f"{shorten(asking)} {'calls' if len(asking) == 1 else 'call'} ctypes.util.find_library, which "
            "finds a library with nixpkgs' Python only if a compiler finds it",
            hint=_find_library_hint(style),
        )


def unopened(sonames: Sequence[str], style: Style) -> Iterator[Diagnostic]:
    """Yield NIX605 where the project opens libraries by name and the style's Python does not find them."""
    if sonames and not style.opens_libraries:
        yield Diagnostic(
            code="NIX605",
            message=f"{shorten(sonames)} of [external] {'is' if len(sonames) == 1 else 'are'} not found by name when "
            f"the project runs under style {style.name}, which supplies only programs and headers",
            hint=f"Open the library by its path, or choose {style.other('open-libraries')}, which finds it by name.",
        )


def _find_library_hint(style: Style) -> str:
    answering = with_property(lambda feature: feature.answers_find_library)
    name, allowed = answering.name, answering.styles
    if allowed and style.name not in allowed:
        return f"Choose style {in_words(sorted(allowed))}, and enable feature {name}."
    return f"Enable feature {name}: `nixpy init --feature {name}`."
