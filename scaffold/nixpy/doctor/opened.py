"""Find the libraries that installed packages open at run time and do not find."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from nixpy.core.errors import NixpyError
from nixpy.core.read_file import read_bytes
from nixpy.doctor.facts import MissingLibrary
from nixpy.doctor.loader import Search
from nixpy.libraries.evidence import LibraryEvidence
from nixpy.libraries.match import WheelNeeds, match
from nixpy.needs.model import unreached_modules

_PRELOAD = "lib/python*/site-packages/nixpy-preload.pth"
_PRELOADED = re.compile(rb"'(\.nixpy-patched/lib/([\w.+-]+))'")


def modules_of(wheels: Sequence[WheelNeeds]) -> frozenset[str]:
    """Return the modules that open libraries and that others import.

    What other modules open is not among the needs of installed wheels.
    """
    return unreached_modules(one for wheel in wheels for one in wheel.needs.opens)


def preloaded(venv: Path) -> frozenset[str]:
    """Return the sonames that Python loads when it starts in a patched `.venv`.

    Style patched-venv names them in a file of site-packages, see templates/nix/programs/patch_venv.py. A package that
    opens one of them by its name gets the loaded library.
    """
    found: set[str] = set()
    for file in venv.glob(_PRELOAD):
        with suppress(NixpyError, OSError):
            names = _PRELOADED.findall(read_bytes(file))
            found |= {soname.decode() for place, soname in names if venv.joinpath(place.decode()).exists()}
    return frozenset(found)


def unopened(wheels: Sequence[WheelNeeds], search: Search | None) -> Iterator[MissingLibrary]:
    """Yield the libraries that packages open and the interpreter does not find.

    A package finds a library under one of the names that it tries. Those that are only possible are left out.

    Args:
        wheels: The installed wheels, with what they open.
        search: The search path of the interpreter; None if it is unknown.
    """
    if search is None:
        return
    libraries, _ = match(wheels, imported=modules_of(wheels))
    for library in libraries:
        if library.provider == "sibling-wheel":
            continue
        first: dict[str, LibraryEvidence] = {}
        for one in library.evidence:
            if one.opened and one.certainty != "possible":
                first.setdefault(one.package, one)
        for package, one in sorted(first.items()):
            tried = (name for each in library.evidence if each.package == package for name in each.names)
            if not any(map(search.finds, (library.soname, *tried))):
                yield MissingLibrary(
                    soname=library.soname, wheel=package, files=(), optional=library.optional, opened=one.place
                )
