"""Read wheels that an installer has unpacked into a virtual environment."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from packaging.tags import Tag
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from nixpy.core import limits
from nixpy.core.errors import ArchiveError, NixpyError
from nixpy.core.read_file import read_bytes
from nixpy.core.wheel_name import parse_tag, parse_wheel_filename
from nixpy.locks.model import LockedWheel
from nixpy.wheels.archive import EXECUTE_BITS, Content, Member

_MAPPED = 1 << 20  # bytes
_HASHES = frozenset(("sha256", "sha384", "sha512"))  # the wheel format requires sha256 or better


@dataclass(frozen=True, kw_only=True)
class InstalledWheel:
    """The Archive of one installed distribution.

    Its members are the files of RECORD that are in the environment, under their paths in the wheel: files in `bin`
    are in `<name>-<version>.data/scripts`, those in other folders in `.data/data` (PEP 427). Bytecode, which wheels
    do not contain, is left out, and so is every path outside the environment.
    """

    name: NormalizedName
    version: Version
    tags: frozenset[Tag]
    build: str  # the build number, or empty
    venv: Path
    site: Path  # the folder that the paths of RECORD are relative to; absolute and without "..", like `venv`
    record: tuple[str, ...]  # the paths of RECORD
    direct: Mapping[str, Any] | None  # direct_url.json (PEP 610), if any
    hashes: Mapping[str, str] = field(default_factory=dict)  # those of RECORD by its paths: sha256=…

    @property
    def filename(self) -> str:
        """Return the name of a wheel file with these tags (PEP 425, compressed tag sets)."""
        parts = (
            ".".join(sorted({str(getattr(tag, part)) for tag in self.tags}))
            for part in ("interpreter", "abi", "platform")
        )
        stem = [self.name.replace("-", "_"), str(self.version), *([self.build] if self.build else [])]
        return "-".join((*stem, *parts)) + ".whl"

    def matches(self, wheel: LockedWheel) -> bool:
        """Return whether this is the locked wheel, as far as installed files can show.

        Name, version, build number and all tags agree, no file is missing, and it was not built here from a folder or
        repository. The platform is part of the tags, so a wheel for another system never matches.
        """
        try:
            name, version, build, tags = parse_wheel_filename(wheel.file.filename)
        except ValueError:
            return False
        asked = name, version, "".join(map(str, build)), tags
        same = (self.name, self.version, self.build, self.tags) == asked
        return same and self._is_from_wheel(wheel.file.sha256) and None not in self._stats.values()

    @cached_property
    def fingerprint(self) -> str:
        """A hash that changes with RECORD and with the size or time of a file."""
        lines = [self.filename, *(f"{path} {self.hashes.get(path)}" for path in self.record)]
        lines += [
            f"{path} {found.st_size} {found.st_mtime_ns} {found.st_mode}" if found else path
            for path, found in sorted(self._stats.items())
        ]
        return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()

    def verify(self, paths: Iterable[str]) -> bool:
        """Return whether these files have the hashes of RECORD.

        A file that has none there, or cannot be read, is not verified. Programs and libraries may differ from the
        locked wheel: some styles change the loader and the run paths of installed files.
        """
        places = {file: path for path, file in self._files_of_record}
        try:
            return all(_has_hash(self.content(path), self.hashes.get(places[self._files[path]], "")) for path in paths)
        except OSError:
            return False

    def members(self) -> Sequence[Member]:
        """Return every file that exists."""
        return tuple(
            Member(path, found.st_size, bool(found.st_mode & EXECUTE_BITS))
            for path, found in self._stats.items()
            if found is not None
        )

    def head(self, path: str, size: int) -> bytes:
        """Return the first `size` bytes of a file."""
        with self.file(path).open("rb") as file:
            return file.read(size)

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, Content]]:
        """Yield each file with its bytes; NixpyError if one cannot be read."""
        for path in paths:
            try:
                content = self.content(path)
            except OSError as error:
                raise ArchiveError(
                    f"this installed file cannot be read: {error.strerror}",
                    hint="Install the package again, or remove the environment.",
                    path=self.file(path),
                ) from None
            yield path, content

    def content(self, path: str) -> Content:
        """Return the bytes of a file; OSError if it cannot be read."""
        with self.file(path).open("rb") as file:
            # Many links to one file share one entry.
            large = os.fstat(file.fileno()).st_size >= _MAPPED
            return mmap(file.fileno(), 0, access=ACCESS_READ) if large else file.read()

    def file(self, path: str) -> Path:
        """Return the path of a member in the environment."""
        return Path(self._files[path])

    @cached_property
    def _files(self) -> dict[str, str]:
        """Map the paths of the wheel to the files of the environment.

        An environment has tens of thousands of files, for which Path takes most of the time.
        """
        return {self._path_in_wheel(file): file for _, file in self._files_of_record}

    @cached_property
    def _files_of_record(self) -> list[tuple[str, str]]:
        """Return the paths of RECORD, each with its file in the environment."""
        found = []
        venv, site = f"{self.venv}/", str(self.site)
        for path in self.record:
            file = os.path.normpath(f"{site}/{path}" if not path.startswith("/") else path)
            if file.startswith(venv) and "/__pycache__/" not in file:
                found.append((path, file))
        return found

    @cached_property
    def _stats(self) -> dict[str, os.stat_result | None]:
        """Return the status of every file in RECORD, or None if it does not exist."""
        return {path: _stat(file) for path, file in self._files.items()}

    def _path_in_wheel(self, file: str) -> str:
        if file.startswith(f"{self.site}/"):
            return file.removeprefix(f"{self.site}/")
        data = f"{self.name.replace('-', '_')}-{self.version}.data"
        inside = file.removeprefix(f"{self.venv}/")
        return f"{data}/scripts/{inside.removeprefix('bin/')}" if inside.startswith("bin/") else f"{data}/data/{inside}"

    def _is_from_wheel(self, sha256: str | None) -> bool:
        if self.direct is None:
            return True
        if "archive_info" not in self.direct:  # a folder, an editable, a repository
            return False
        found = _table(_table(self.direct["archive_info"]).get("hashes")).get("sha256")
        return found is None or found == sha256


def _has_hash(content: Content, expected: str) -> bool:
    """Return whether a file has the hash in a row of RECORD (PEP 376)."""
    algorithm, _, value = expected.partition("=")
    if algorithm not in _HASHES:
        return False
    digest = hashlib.new(algorithm, content).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == value.rstrip("=")


def _stat(file: str) -> os.stat_result | None:
    try:
        found = os.stat(file)  # noqa: PTH116
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def sites(venv: Path) -> list[Path]:
    """Return the site-packages folders of a virtual environment, each once."""
    found = sorted(venv.glob("lib*/python3*/site-packages"))
    return [site for site in found if not site.parent.parent.is_symlink()]  # lib64 is a link to lib


def installed_wheels(venv: Path) -> Mapping[NormalizedName, InstalledWheel]:
    """Return the installed wheels of a virtual environment by name.

    The result is empty if there is no environment.

    Distributions that occur twice or have incomplete metadata are left out: their files may be mixed.
    """
    found: dict[NormalizedName, InstalledWheel] = {}
    twice: set[NormalizedName] = set()
    venv = Path(os.path.normpath(venv.absolute()))
    for site in sites(venv):
        for info in sorted(site.glob("*.dist-info")):
            wheel = _installed(info, venv, site)
            if wheel is not None:
                twice |= {wheel.name} & found.keys()
                found[wheel.name] = wheel
    return {name: wheel for name, wheel in sorted(found.items()) if name not in twice}


def _installed(info: Path, venv: Path, site: Path) -> InstalledWheel | None:
    try:
        metadata, wheel, record = (_read(info / name) for name in ("METADATA", "WHEEL", "RECORD"))
        direct = _read(info / "direct_url.json")
        if not metadata or not wheel or not record:
            return None
        name, version = _headers(metadata, "Name"), _headers(metadata, "Version")
        rows = [row for row in csv.reader(record.splitlines()) if row and "\0" not in row[0]]
        return InstalledWheel(
            name=canonicalize_name(name[0]),
            version=Version(version[0]),
            tags=frozenset(tag for line in _headers(wheel, "Tag") for tag in parse_tag(line)),
            build="".join(_headers(wheel, "Build")),
            venv=venv,
            site=site,
            record=tuple(row[0] for row in rows),
            hashes={row[0]: row[1] for row in rows if len(row) > 1},
            direct=_table(limits.parse_json(direct)) if direct else None,
        )
    except (OSError, ValueError, LookupError, InvalidVersion, csv.Error, NixpyError):
        return None


def _read(path: Path) -> str | None:
    """Return the text of a metadata file, or None if it is missing."""
    try:
        return read_bytes(path).decode().replace("\r\n", "\n")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError):
        return None


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _headers(text: str, name: str) -> list[str]:
    """Return the values of a header of a metadata file.

    The headers end with the first empty line.
    """
    lines = text.split("\n\n", 1)[0].splitlines()
    return [line.partition(":")[2].strip() for line in lines if line.lower().startswith(f"{name.lower()}:")]
