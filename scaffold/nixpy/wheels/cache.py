"""Cache the facts of wheels by the sha256 of the wheel.

The cache has one small file for each wheel, replaced atomically, and is not a database: any number of processes and
threads may use it without waiting for each other, it works on any file system, and damage affects only one wheel.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Self, cast, get_args, get_origin, get_type_hints

from nixpy.core import limits
from nixpy.core.errors import NixpyError
from nixpy.core.read_file import read_bytes
from nixpy.core.urls import identity
from nixpy.needs.model import Known, WheelFacts

READER = 6
"""Raise this when `nixpy.needs` reads other facts from the same file: older entries are not used then."""

_TEMPORARY = ".tmp"
_LEFT = 3_600.0  # seconds
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
        self._store(self._path(sha256, url), facts)

    def get_installed(self, fingerprint: str) -> WheelFacts | None:
        """Return the facts of an installed wheel with this fingerprint, or None."""
        return self._load(self._path(fingerprint, None), "installed")

    def put_installed(self, fingerprint: str, facts: WheelFacts) -> None:
        """Store the facts of an installed wheel.

        They apply only to files with this fingerprint, not to a locked wheel.
        """
        self._store(self._path(fingerprint, None), replace(facts, known="installed"))

    def _store(self, path: Path | None, facts: WheelFacts) -> None:
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
            return cast("WheelFacts", _read(WheelFacts, data))
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


def _read(kind: Any, value: Any) -> Any:
    """Build a value of an annotated type from JSON.

    Raises TypeError if it has another type, or is a table with other keys than the fields of the dataclass.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return None if value is None else _read(arguments[0], value)
    if origin is tuple:
        return tuple(_read(arguments[0], item) for item in _read(list, value))
    if dataclasses.is_dataclass(kind):
        hints = _hints(cast("Any", kind))
        if _read(dict, value).keys() != hints.keys():
            raise TypeError(kind)
        return cast("Any", kind)(**{name: _read(hint, value[name]) for name, hint in hints.items()})
    fits = value in arguments if origin is Literal else type(value) is kind  # True is not an int
    if not fits:
        raise TypeError(kind)
    return value


@functools.cache
def _hints(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind)
