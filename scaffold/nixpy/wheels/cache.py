"""Cache the facts of wheels by the sha256 of the wheel.

The cache has one small file for each wheel, replaced atomically, and is not a database: any number of processes and
threads may use it without waiting for each other, it works on any file system, and damage affects only one wheel.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar, get_args

from nixpy.core import limits
from nixpy.core.errors import NixpyError
from nixpy.core.read_file import read_bytes
from nixpy.core.urls import identity
from nixpy.needs.model import Certainty, ElfFile, Evidence, Known, RuntimeOpen, WheelFacts

READER = 2
"""Raise this when `nixpy.needs` reads other facts from the same file: older entries are not used then."""

_TEMPORARY = ".tmp"
_LEFT = 3_600.0  # seconds
_T = TypeVar("_T")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """A folder of facts; None disables the cache.

    A folder that is not writable is ignored.
    """

    folder: Path | None

    @classmethod
    def default(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Return the user's cache.

        It is `NIXPY_CACHE_DIR`, else the platform's folder for caches.
        """
        if chosen := environ.get("NIXPY_CACHE_DIR"):
            return cls(folder=Path(chosen))
        import platformdirs

        return cls(folder=platformdirs.user_cache_path("nixpy"))

    def get(self, sha256: str, url: str | None = None) -> WheelFacts | None:
        """Return the facts of a wheel, or None.

        Facts of a hashed file apply to every source. Facts that were read by ranges apply only to their URL, so that
        one index cannot vouch for another. A damaged entry is ignored.
        """
        return self._load(self._path(sha256, None), "sha256") or (
            self._load(self._path(sha256, url), "index") if url else None
        )

    def put(self, sha256: str, facts: WheelFacts, url: str | None = None) -> None:
        """Store facts that are known by `sha256`, or by `index` with their URL.

        Others are not stored.
        """
        if facts.known == "sha256":
            url = None
        elif facts.known != "index" or url is None:
            return
        path = self._path(sha256, url)
        if path is None:
            return
        text = json.dumps(dataclasses.asdict(facts), separators=(",", ":"))
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, text)
            _remove_leftovers(path.parent)

    def _path(self, sha256: str, url: str | None) -> Path | None:
        if self.folder is None or not _SHA256.fullmatch(sha256):
            return None
        # The cache has only a digest of the URL: some indexes have secrets in their paths.
        source = "-" + hashlib.sha256(identity(url).encode()).hexdigest()[:32] if url else ""
        return self.folder / f"facts-{READER}" / sha256[:2] / f"{sha256}{source}.json"

    def _load(self, path: Path | None, known: Known) -> WheelFacts | None:
        if path is None:
            return None
        try:
            data = limits.parse_json(read_bytes(path))
            if data["known"] != known:
                return None
            return _facts(**data)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, NixpyError):
            return None


def _replace(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=_TEMPORARY)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of killed processes: those older than `_LEFT`."""
    for path in folder.glob(f".*{_TEMPORARY}"):
        if path.lstat().st_mtime < time.time() - _LEFT:
            path.unlink(missing_ok=True)


def _facts(
    *, files: Any, known: Any, requires: Any, opens: Any, imports: Any, unreadable: Any
) -> WheelFacts:  # fmt: skip
    """Build the facts of a wheel; TypeError if a key is missing or unknown, or a value has the wrong type."""
    return WheelFacts(
        files=tuple(_elf_file(**file) for file in _list(files)),
        known=_one_of(known, Known),
        requires=None if requires is None else _texts(requires),
        opens=tuple(_open(**one) for one in _list(opens)),
        imports=_texts(imports),
        unreadable=_texts(unreadable),
    )


def _elf_file(*, path: Any, machine: Any, needed: Any, soname: Any, interpreter: Any, glibc: Any) -> ElfFile:
    return ElfFile(
        path=_typed(path, str),
        machine=_typed(machine, int),
        needed=_texts(needed),
        soname=None if soname is None else _typed(soname, str),
        interpreter=None if interpreter is None else _typed(interpreter, str),
        glibc=None if glibc is None else tuple(_typed(number, int) for number in _list(glibc)),
    )


def _open(
    *,
    names: Any,
    evidence: Any,
    certainty: Any,
    path: Any,
    line: Any,
    find_library: Any,
    module: Any,
    systems: Any,
) -> RuntimeOpen:
    return RuntimeOpen(
        names=_texts(names),
        evidence=_one_of(evidence, Evidence),
        certainty=_one_of(certainty, Certainty),
        path=_typed(path, str),
        line=None if line is None else _typed(line, int),
        find_library=_typed(find_library, bool),
        module=None if module is None else _typed(module, str),
        systems=_texts(systems),
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_typed(text, str) for text in _list(value))


def _list(value: Any) -> list[Any]:
    return _typed(value, list)


def _one_of(value: Any, literal: Any) -> Any:
    if value not in get_args(literal):
        raise TypeError(value)
    return value


def _typed(value: Any, kind: type[_T]) -> _T:
    """Return `value`; TypeError if it has another type: True is no number."""
    if type(value) is not kind:
        raise TypeError(value)
    return value
