"""Find the soname of a library that code opens by one of several names."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import replace

from nixpy.libraries.catalogue import Catalogue, SonameEntry
from nixpy.needs.glibc import is_glibc
from nixpy.needs.model import RuntimeOpen

_UNVERSIONED = re.compile(r"[^/]+\.so")
_GLIBC_VERSIONS = range(10)


def resolve(
    one: RuntimeOpen,
    find: Callable[[str], SonameEntry | None],
    catalogue: Catalogue,
    preferred: Collection[str] = (),
) -> SonameEntry | None:
    """Return the library that an open needs.

    It is the first of its names that has a supplier; names without a version come last. Such a name, as of
    `find_library("archive")` or `CDLL("libarchive.so")`, means a `preferred` soname with a version, else the one with
    the highest version in the catalogue. `find_library` finds this soname; other code needs a file with exactly the
    name that it opens.

    Args:
        one: What is opened.
        find: A function from a soname to its entry: that of a wheel, of the user, or of the catalogue.
        catalogue: The catalogue, for file names without a version.
        preferred: The sonames that wheels of the lock link to or ship on this system, and those of the user.

    Returns:
        The entry of the library. Without a supplier, it is that of the first name. None if glibc has the library.
    """
    names = [name for name in one.names if "/" not in name] or [one.names[0].rpartition("/")[2]]
    entries = {name: find(name) for name in names}
    for name, entry in entries.items():
        if is_glibc(name) or any(is_glibc(f"{name}.{version}") for version in _GLIBC_VERSIONS):
            return None
        if entry and is_supplied(entry) and not _UNVERSIONED.fullmatch(name):
            return entry
    for name in filter(_UNVERSIONED.fullmatch, names):
        exact = entries[name]
        if not one.find_library and exact and is_supplied(exact):
            return exact
        sonames = {*catalogue.versions(name), *(soname for soname in preferred if soname.startswith(f"{name}."))}
        for soname in sorted(sonames, key=lambda soname: (soname in preferred, _version(soname), soname), reverse=True):
            entry = find(soname)
            if entry and is_supplied(entry):
                return entry if one.find_library or entry.provider != "nixpkgs" else replace(entry, soname=name)
        if exact and is_supplied(exact):
            return exact
    return next(filter(None, entries.values()), None)


def as_file(entry: SonameEntry, files: Collection[str]) -> SonameEntry:
    """Return the entry of a library under the file name by which a package opens it.

    The table has `libX11.so.6` for a package; if its source opens `libX11.so`, this is the file that it needs.
    """
    name = f"{entry.soname.partition('.so.')[0]}.so"
    return replace(entry, soname=name) if name in files else entry


def is_supplied(entry: SonameEntry) -> bool:
    """Return whether nixpkgs, the host or a wheel of the lock supplies a library."""
    return entry.provider in ("nixpkgs", "host-driver") or (entry.provider == "sibling-wheel" and not entry.note)


def finds_library(one: RuntimeOpen) -> bool:
    """Return whether an open depends on `find_library`.

    Then it tries no name with a version. The names in a row of the table are always sonames, so its kind decides.
    """
    return one.find_library and (one.evidence == "table" or all(map(_UNVERSIONED.fullmatch, one.names)))


def _version(soname: str) -> tuple[int, ...]:
    """Return the version in a soname as numbers, so that 10 is higher than 9."""
    return tuple(int(part) for part in re.findall(r"\d+", soname.rpartition(".so")[2]))
