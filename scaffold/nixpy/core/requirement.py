"""Requirements of PEP 508: their canonical text, and one below a marker."""

from __future__ import annotations

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nixpy.core.urls import plain


def canonical_requirement(requirement: Requirement, *, address: bool = True) -> str:
    """Return a requirement's text with normalised names, sorted extras and specifiers, and no credentials.

    Without `address` one that names an address is one of any version.
    """
    extras = sorted(canonicalize_name(extra) for extra in requirement.extras)
    text = canonicalize_name(requirement.name) + (f"[{','.join(extras)}]" if extras else "")
    if requirement.url:
        text += f" @ {plain(requirement.url)}" if address else ""
    else:
        text += ",".join(sorted(map(str, requirement.specifier)))
    return f"{text} ; {requirement.marker}" if requirement.marker else text


def under(requirement: Requirement, marker: Marker | None) -> Requirement:
    """Return a requirement that holds only where `marker` does too."""
    if marker is None:
        return requirement
    narrowed = Requirement(str(requirement))
    narrowed.marker = marker & narrowed.marker if narrowed.marker else marker
    return narrowed
