"""Find files that a lock names only by name and hash.

uv looks them up, since it knows every kind of index.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from packaging.requirements import Requirement

from nixpy.core.errors import NetworkError, NixpyError
from nixpy.core.target import Target
from nixpy.index.resolve import resolve
from nixpy.locks.model import ExtrasAndGroups, LockedWheel, WheelFile
from nixpy.locks.pylock import PyLock


def addresses(wheels: Sequence[LockedWheel], target: Target, root: Path) -> dict[LockedWheel, WheelFile]:
    """Return the file of each wheel with its address.

    It is on the first of its `indexes` that has a file with its hash.

    The address may be in a folder that uv's settings name. `root` is the folder of the project; its settings of uv
    and pip apply. Raises NetworkError if no index has the file.
    """
    found: dict[LockedWheel, WheelFile] = {}
    for place in range(max((len(wheel.file.indexes) for wheel in wheels), default=0)):
        missing = [wheel for wheel in wheels if wheel not in found and len(wheel.file.indexes) > place]
        for index in sorted({wheel.file.indexes[place] for wheel in missing}, key=str):
            asked = [wheel for wheel in missing if wheel.file.indexes[place] == index]
            last = all(len(wheel.file.indexes) == place + 1 for wheel in asked)
            for pins in _rounds(asked):
                # If an index lacks one of the files, uv returns none of them, and the next index may have that one.
                for group in [pins] if last else [[pin] for pin in pins]:
                    try:
                        found |= _ask(group, index, target, root)
                    except NixpyError:
                        if last:
                            raise
    for wheel in wheels:
        if wheel not in found:
            raise NetworkError(
                f"no index has {wheel.file.filename} with the hash that is locked",
                hint="Check the index settings of uv or pip, or lock again; --offline skips the download.",
            )
    return found


def _rounds(wheels: Iterable[LockedWheel]) -> list[list[LockedWheel]]:
    """Divide the wheels so that no part has two versions of one package.

    uv cannot resolve two versions together.
    """
    rounds: list[dict[str, str]] = []
    parts: list[list[LockedWheel]] = []
    for wheel in wheels:
        for versions, part in zip(rounds, parts, strict=True):
            if versions.setdefault(wheel.name, wheel.version) == wheel.version:
                part.append(wheel)
                break
        else:
            rounds.append({wheel.name: wheel.version})
            parts.append([wheel])
    return parts


def _ask(wheels: Sequence[LockedWheel], index: str | None, target: Target, root: Path) -> dict[LockedWheel, WheelFile]:
    pins = [Requirement(pin) for pin in sorted({f"{wheel.name}=={wheel.version}" for wheel in wheels})]
    text = resolve(pins, root=root, python=target.short_python, no_deps=True, index=index)
    listed = PyLock.parse(text, root / "pylock.toml").packages(target, ExtrasAndGroups())
    files = {
        (package.name, file.filename): file
        for package in listed
        for file in (*package.wheels, *([package.sdist_file] if package.sdist_file else []))
    }
    found = {}
    for wheel in wheels:
        file = files.get((wheel.name, wheel.file.filename))
        if file and wheel.file.sha256 in (file.sha256, None):
            found[wheel] = replace(wheel.file, url=file.url, path=file.path, size=file.size)
    return found
