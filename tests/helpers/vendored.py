"""The Nix library in a generated file: the text of each file of `templates/nix` that the project uses."""

from __future__ import annotations

import re

from nixpy.files.reconcile import parts

_FILE = re.compile(r"^    (?:\"([\w/-]+)\"|([\w-]+)) =(?: '')?$", re.MULTILINE)


def files(text: str) -> dict[str, str]:
    """Return the files of the library below the facts, by their names: `manager`, `styles/loader`."""
    _, library, _ = parts(text)
    _, *found = _FILE.split(library)
    names = [quoted or bare for quoted, bare in zip(found[::3], found[1::3], strict=True)]
    assert "project" in names
    assert len(set(names)) == len(names)
    return dict(zip(names, found[2::3], strict=True))
