"""Find the soname of a library that code opens by one of several names."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import replace

from nixpy.libraries.catalogue import Catalogue, SonameEntry
from nixpy.libraries.large import is_large
from nixpy.needs.glibc import is_glibc
from nixpy.needs.model import RuntimeOpen

_UNVERSIONED = re.compile(r"[^/]+\.so")
_GLIBC_VERSIONS = range(10)


def resolve(
    one: RuntimeOpen,
    find: Callable[[str], SonameEntry | None],
    catalogue: Catalogue,
    preferred: Collection[str] = (),
) -> tuple[SonameEntry, ...]:
    """Return the library that an open needs, under each name that must exist.

    It is the first of its names that has a supplier; names without a version come last. Such a name, as of
    `find_library("archive")` or `CDLL("libarchive.so")`, means a `preferred` soname with a version, else the one with
    the highest version in the catalogue. `find_library` finds this soname; other code also needs a file with exactly
    the name that it opens.

    Args:
        one: What is opened.
        find: A function from a soname to its entry: that of a wheel, of the user, or of the catalogue.
        catalogue: The catalogue, for file names without a version.
        preferred: The sonames that wheels of the lock link to or ship on this system, and those of the user.

    Returns:
        The entry of the soname, then that of the file name, if it is needed. Without a supplier, it is the entry of the
        first name. Empty if glibc has the library.
    """
    names = [name for name in one.names if "/" not in name] or [one.names[0].rpartition("/")[2]]
    entries = {name: find(name) for name in names}
    for name, entry in entries.items():
        if is_glibc(name) or any(is_glibc(f"{name}.{version}") for version in _GLIBC_VERSIONS):
            return ()
        if entry and is_supplied(entry) and not _UNVERSIONED.fullmatch(name):
            return (entry,)
    for name in filter(_UNVERSIONED.fullmatch, names):
        exact = entries[name]
        if exact and not is_supplied(exact):
            exact = None
        sonames = {*catalogue.versions(name), *(soname for soname in preferred if soname.startswith(f"{name}."))}
        for soname in sorted(sonames, key=lambda soname: (soname in preferred, _version(soname), soname), reverse=True):
            entry = find(soname)
            if entry and is_supplied(entry):
                needs_file = not one.find_library and entry.provider == "nixpkgs"
                return (entry, exact or replace(entry, soname=name)) if needs_file else (entry,)
        if exact:
            return (exact,)
    return tuple(entry for entry in entries.values() if entry)[:1]


def is_supplied(entry: SonameEntry) -> bool:
    """Return whether nixpkgs, the host or a wheel of the lock supplies a library."""
    return entry.provider in ("nixpkgs", "host-driver") or (entry.provider == "sibling-wheel" and not entry.note)


def is_affordable(entry: SonameEntry) -> bool:
    """Return whether a library has a supplier and is not large.

    nixpy supplies such a library if it is likely that a package needs it.
    """
    return is_supplied(entry) and (entry.attribute is None or not is_large(entry.attribute))


def finds_library(one: RuntimeOpen) -> bool:
    """Return whether an open depends on `find_library`.

    Then it tries no name with a version. The names in a row of the table are always sonames, so its kind decides.
    """
    return one.find_library and (one.evidence == "table" or all(map(_UNVERSIONED.fullmatch, one.names)))


def _version(soname: str) -> tuple[int, ...]:
    """Return the version in a soname as numbers, so that 10 is higher than 9."""
    return tuple(int(part) for part in re.findall(r"\d+", soname.rpartition(".so")[2]))
