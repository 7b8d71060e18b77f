"""Write requirements (PEP 508) in their canonical form, and add markers to them."""

from __future__ import annotations

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nixpy.core.urls import plain


def canonical_requirement(requirement: Requirement, *, address: bool = True) -> str:
    """Return the canonical text of a requirement.

    It has normalised names, sorted extras and specifiers, and no credentials.

    Without `address`, a requirement with an address becomes one of any version.
    """
    extras = sorted(canonicalize_name(extra) for extra in requirement.extras)
    text = canonicalize_name(requirement.name) + (f"[{','.join(extras)}]" if extras else "")
    if requirement.url:
        text += f" @ {plain(requirement.url)}" if address else ""
    else:
        text += ",".join(sorted(map(str, requirement.specifier)))
    return f"{text} ; {requirement.marker}" if requirement.marker else text


def under(requirement: Requirement, marker: Marker | None) -> Requirement:
    """Return the requirement with `marker` added to its own marker by `and`."""
    if marker is None:
        return requirement
    narrowed = Requirement(str(requirement))
    narrowed.marker = marker & narrowed.marker if narrowed.marker else marker
    return narrowed
