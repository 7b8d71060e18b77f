"""Print the libraries that packages may open at run time and that are left out."""

from __future__ import annotations

import json
from collections.abc import Sequence

from nixpy.cli.layout import table, tell
from nixpy.cli.output import SETTINGS, echo
from nixpy.diagnostics.diagnostic import counted, shorten
from nixpy.libraries.large import is_large
from nixpy.libraries.match import Library


def print_left_out(libraries: Sequence[Library]) -> None:
    """Print how many libraries are left out, and how to add one.

    With `-v`, print each of them with the reason.

    Args:
        libraries: The libraries, as `match.left_out` returns them.
    """
    if not libraries:
        return
    sonames = list(dict.fromkeys(item.soname for item in sorted(libraries, key=_order)))
    number = f"left out {counted(len(sonames), 'library')} that packages may open at run time"
    if SETTINGS.verbose:
        tell(f"{number}:")
        for line in table([(item.soname, supplier(item), why(item)) for item in libraries]):
            echo(line)
    else:
        tell(f"{number}: {shorten(sonames)}; -v gives the reasons")
    known = next((item.soname for item in sorted(libraries, key=_order) if item.provider == "nixpkgs"), None)
    if known:
        tell(f"to add one, set add = {json.dumps([known])} in [tool.nixpy.libraries]", lead="  ")


def supplier(library: Library) -> str:
    """Return the supplier of a library in words."""
    return library.expression or {
        "sibling-wheel": "another wheel",
        "host-driver": "the graphics driver of the host",
        "none": "no known package",
    }.get(library.provider, library.provider)


def why(library: Library) -> str:
    """Return why a library is left out, with the strongest evidence for it."""
    first = next(one for one in library.evidence if one.opened)
    place = f", {first.place}" if first.place else ""
    if first.certainty == "possible":
        return f"may be opened by {first.package}{place}"
    large = "large; " if first.certainty == "likely" and is_large(library.attribute or "") else ""
    return f"{large}opened by {first.package}{place}"


def _order(library: Library) -> tuple[bool, bool, str]:
    """Return the key to sort libraries by: first those that are opened and known."""
    opened = any(one.opened and one.certainty != "possible" for one in library.evidence)
    return not opened, library.provider != "nixpkgs", library.soname
