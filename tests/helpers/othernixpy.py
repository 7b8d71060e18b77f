"""Generated Nix files as another nixpy writes them: unedited, so that every checksum in them is right."""

from __future__ import annotations

import hashlib
import re

from nixpy.files.reconcile import parts

_FACTS = re.compile("(# nixpy format )([0-9]+)(, .*sha256 )([0-9a-f]{64})\n")


def older_library(text: str) -> str:
    """Return the file with the same facts and the library text of another nixpy."""
    _, library, named = parts(text)
    assert named is not None
    other = library + "# A line that another nixpy has.\n"
    return text.removesuffix(library).replace(named, _sha256(other)) + other


def newer_format(text: str) -> str:
    """Return the file in a format that this nixpy does not know."""
    return _with_checksum(_FACTS.sub(r"\g<1>9\g<3>\g<4>\n", text, count=1))


def first_format(text: str) -> str:
    """Return the file in the first format: one checksum, which covers everything but its own digits."""
    facts, library, _ = parts(text)
    whole = _FACTS.sub(r"\g<1>1\g<3>\g<4>\n", facts, count=1) + library
    return _with_checksum(whole)


def _with_checksum(text: str) -> str:
    """Return the text with the right checksum of its facts; that of the library stays as it is."""
    found = _FACTS.search(text)
    assert found is not None
    covered = parts(text)[0] if found[2] != "1" else text
    return text.replace(found[4], _sha256(covered.replace(found[4], "", 1)), 1)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
