"""Compare the installed packages of an environment with their own metadata.

nixpy starts nothing for it. Source: PEP 376 and the specification "Recording installed projects". RECORD lists the
files of a distribution with their sizes, INSTALLER its installer, and direct_url.json (PEP 610) where it came from.
"""

from __future__ import annotations

import base64
import csv
import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from mmap import ACCESS_READ, mmap
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from nixpy.core import limits
from nixpy.core.errors import NixpyError
from nixpy.core.read_file import exists, is_folder, open_bytes, read_bytes, read_lossy, walk
from nixpy.core.urls import file_path, plain
from nixpy.doctor.facts import InstalledPackage, UnreadableFile
from nixpy.needs import elf
from nixpy.needs.roots import is_library
from nixpy.wheels.installed import InstalledWheel, sites

# A package works without these: type stubs, bytecode, C sources, and tests, which people delete to save space.
_DISPENSABLE = frozenset((".pyi", ".pyx", ".pxd", ".pxi", ".c", ".h", ".cpp", ".hpp", ".md", ".rst", ".typed"))
_TESTS = frozenset(("test", "tests", "docs", "examples", "__pycache__"))
_RECORDING = frozenset(("pip", "uv", "poetry", "pdm"))  # the installers that write RECORD, in small letters
_PREFIXES = frozenset(("conda",))  # its installer changes files after RECORD was written


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """The packages of an environment, and the files that cannot be read.

    `recorded` are the names in each site-packages folder that a RECORD has.
    """

    installed: tuple[InstalledPackage, ...]
    unreadable: tuple[UnreadableFile, ...]
    recorded: Mapping[Path, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One line of RECORD: the file in the environment and its size.

    `inside` is its path in site-packages, empty for a file in another folder.
    """

    path: str
    size: int | None
    inside: str
    digest: str  # `sha256=` and the hash in base64


def read_packages(venv: Path) -> Packages:
    """Return the packages in a virtual environment, each compared with its RECORD.

    nixpy compares names and sizes, and the hash of a file only if its content looks wrong.
    """
    venv = Path(os.path.normpath(venv.absolute()))
    found: dict[str, InstalledPackage] = {}
    rows: dict[str, list[_Row]] = {}
    recorded: dict[Path, set[str]] = {}
    unreadable: list[UnreadableFile] = []
    for site in sites(venv):
        tops = recorded[site] = {"__pycache__"}
        for info in sorted(site.glob("*.dist-info")):
            if info.name.startswith("~") or not info.is_dir():  # pip renames what it removes
                continue
            package, own = _read(info, venv, unreadable)
            tops.update(row.inside.partition("/")[0] for row in own)
            if package.name in found:
                package = _doubled(found[package.name], package)
            found[package.name] = package
            rows.setdefault(package.name, []).extend(own)
        for link in sorted(site.glob("*.egg-link")):
            package = _egg_link(link)
            found.setdefault(package.name, package)
    sizes = _Sizes(rows)
    scripts = _scripts(row for own in rows.values() for row in own)
    checked = (
        _compared(package, [row for row in rows.get(name, []) if row.path not in scripts], sizes, unreadable)
        for name, package in sorted(found.items())
    )
    return Packages(
        installed=tuple(checked),
        unreadable=tuple(unreadable),
        recorded={site: frozenset(tops) for site, tops in recorded.items()},
    )


def unreadable_file(path: Path, package: str, error: OSError) -> UnreadableFile:
    """Return the fact that a file of a package cannot be read.

    If a folder above it cannot be entered, that folder is the path.
    """
    permission = error.errno in {errno.EACCES, errno.EPERM}
    if permission:
        path = next((folder for folder in reversed(path.parents) if not os.access(folder, os.X_OK)), path)
    try:
        own = path.stat().st_uid == os.geteuid()
    except OSError:
        own = False
    return UnreadableFile(
        path=path,
        package=package,
        reason=error.strerror or type(error).__name__,
        permission=permission,
        own=own,
    )


# --- metadata ---


def _read(info: Path, venv: Path, unreadable: list[UnreadableFile]) -> tuple[InstalledPackage, list[_Row]]:
    """Return the package of a dist-info folder, and the files in its RECORD."""
    stem, _, version = info.name.removesuffix(".dist-info").rpartition("-")
    name = canonicalize_name(stem or version)
    texts: dict[str, str | None] = {}
    for file in ("METADATA", "RECORD", "INSTALLER", "direct_url.json"):
        try:
            texts[file] = read_bytes(info / file).decode("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError):
            texts[file] = None
        except (OSError, NixpyError) as error:
            texts[file] = ""
            if isinstance(error, OSError):
                unreadable.append(unreadable_file(info / file, name, error))
    installer = (texts["INSTALLER"] or "").strip()
    direct = _direct(texts["direct_url.json"])
    wrong = ""
    if texts["METADATA"] is None:
        wrong = f"{info / 'METADATA'} does not exist"
    elif texts["RECORD"] is None and _first_word(installer) in _RECORDING:
        wrong = f"{info / 'RECORD'} does not exist, so {installer} cannot remove or replace the package"
    rows = list(_rows(texts["RECORD"] or "", info.parent, venv, info.name))
    package = InstalledPackage(
        name=name,
        version=version if _is_version(version) else None,
        folders=(info,),
        installer=installer,
        requirement=_requirement(name, version, direct),
        metadata=wrong,
        editable=_gone(direct, rows),
    )
    return package, rows


def _first_word(text: str) -> str:
    return text.partition(" ")[0].lower()  # Poetry writes its version, too


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _doubled(one: InstalledPackage, other: InstalledPackage) -> InstalledPackage:
    names = " and ".join(folder.name for folder in (*one.folders, *other.folders))
    return replace(
        other,
        folders=(*one.folders, *other.folders),
        version=None,
        metadata=f"{one.folders[0].parent} has {names}, and only one version can be installed",
    )


def _direct(text: str | None) -> Mapping[str, Any]:
    try:
        found = limits.parse_json(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _requirement(name: str, version: str, direct: Mapping[str, Any]) -> str:
    """Return what an installer takes for the same package again."""
    url, vcs = direct.get("url"), direct.get("vcs_info")
    if not isinstance(url, str):
        return f"{name}=={version}"
    if _is_editable(direct):
        return f"--editable={file_path(url) or plain(url)}"
    if isinstance(vcs, dict):
        return f"{name} @ {vcs.get('vcs')}+{plain(url)}@{vcs.get('commit_id')}"
    return f"{name} @ {plain(url)}"


def _is_editable(direct: Mapping[str, Any]) -> bool:
    kind = direct.get("dir_info")
    return isinstance(kind, dict) and kind.get("editable") is True


def _gone(direct: Mapping[str, Any], rows: Iterable[_Row]) -> Path | None:
    """Return the folder that an editable install imports from and that does not exist."""
    if not _is_editable(direct):
        return None
    source = file_path(direct.get("url")) if isinstance(direct.get("url"), str) else None
    if source and not is_folder(source):
        return source
    for row in rows:
        if row.inside and row.path.endswith(".pth"):
            for line in _lines(Path(row.path)):
                if line.startswith("/") and not exists(Path(line)):
                    return Path(line)
    return None


def _egg_link(link: Path) -> InstalledPackage:
    """Return the package of a link that `setup.py develop` writes.

    Its first line is the source.
    """
    first = next(iter(_lines(link)), "")
    source = Path(first) if first.startswith("/") and not is_folder(Path(first)) else None
    name = canonicalize_name(link.stem)
    return InstalledPackage(name=name, version=None, folders=(link,), requirement=name, editable=source)


def _lines(path: Path) -> list[str]:
    try:
        return read_lossy(path).splitlines()
    except (OSError, NixpyError):
        return []


# --- files ---


def _rows(record: str, site: Path, venv: Path, info: str) -> Iterator[_Row]:
    """Yield the files of a RECORD that are in the environment.

    Its own metadata and bytecode are left out.
    """
    inside, prefix = f"{venv}/", f"{site}/"
    try:
        for row in islice(csv.reader(record.splitlines()), limits.MEMBERS):
            path = row[0] if row else ""
            if not path or path.endswith(("/", ".pyc")) or path.startswith(f"{info}/") or "\0" in path:
                continue
            full = path if path.startswith("/") else prefix + path
            if "\\" in path and not exists(Path(full)):  # as some wheels from Windows have it
                full = prefix + path.replace("\\", "/")
            if "." in path.partition("/")[0] or "/." in path:
                full = os.path.normpath(full)
            if full.startswith(inside):
                size = int(row[2]) if len(row) > 2 and row[2].isascii() and row[2].isdecimal() else None
                yield _Row(
                    path=full,
                    size=size,
                    inside=full.removeprefix(prefix) if full.startswith(prefix) else "",
                    digest=row[1] if len(row) > 1 else "",
                )
    except (csv.Error, ValueError):
        return


class _Sizes:
    """The sizes that all packages record for a file.

    Two packages may have the same file: then the one installed last decides its content.
    """

    def __init__(self, rows: Mapping[str, list[_Row]]) -> None:
        self._rows = rows
        self._known: dict[str, list[int | None]] | None = None

    def allow(self, path: str, size: int) -> bool:
        """Return whether a package records this size for a file, or none."""
        if self._known is None:
            self._known = {}
            for rows in self._rows.values():
                for row in rows:
                    self._known.setdefault(row.path, []).append(row.size)
        return any(known is None or known == size for known in self._known.get(path, ()))


def _compared(
    package: InstalledPackage, rows: list[_Row], sizes: _Sizes, unreadable: list[UnreadableFile]
) -> InstalledPackage:
    damaged: list[tuple[Path, str]] = []
    there = 0
    loose = _first_word(package.installer) in _PREFIXES
    for row in rows:
        try:
            found = _status(row.path)
        except (FileNotFoundError, NotADirectoryError):
            if _is_needed(row):
                damaged.append((Path(row.path), "does not exist"))
            continue
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:  # as a hostile RECORD may have it
                unreadable.append(unreadable_file(Path(row.path), package.name, error))
                there += 1
            continue
        there += 1
        if row.size and stat.S_ISREG(found.st_mode) and found.st_size < row.size and row.inside:
            words = _cut(row, found.st_size, sizes, loose=loose)
            if words:
                damaged.append((Path(row.path), words))
        elif row.size == found.st_size and is_library(row.path) and not loose and _is_overwritten(row):
            damaged.append((Path(row.path), "is not a library, and its hash is not the one in RECORD"))
    return replace(package, damaged=tuple(damaged), lost=bool(damaged) and not there)


def _scripts(rows: Iterable[_Row]) -> frozenset[str]:
    """Return the scripts in `bin` if there are several and none exists.

    Then only the packages were copied into another environment, as is usual in containers.
    """
    scripts = [row.path for row in rows if not row.inside and Path(row.path).parent.name == "bin"]
    return frozenset() if len(scripts) < 2 or any(map(exists, map(Path, scripts))) else frozenset(scripts)


def _status(path: str) -> os.stat_result:
    return os.stat(path)  # noqa: PTH116 - there are tens of thousands of files


def _is_needed(row: _Row) -> bool:
    """Return whether a package may fail without a file."""
    if not row.inside:
        return Path(row.path).parent.name == "bin" or is_library(row.path)
    path = PurePosixPath(row.inside)
    return path.suffix not in _DISPENSABLE and _TESTS.isdisjoint(path.parts)


def _cut(row: _Row, size: int, sizes: _Sizes, *, loose: bool) -> str:
    """Return the words for a file that is shorter than its RECORD says.

    They are empty if that is not damage: another package has the same file, or a library was stripped, which leaves it
    complete.
    """
    if sizes.allow(row.path, size) or (loose and size):
        return ""
    if not size:
        return "is empty"
    if is_library(row.path):
        try:
            with open_bytes(Path(row.path)) as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
                if elf.is_complete(data):
                    return ""
        except (OSError, NixpyError):
            return ""
    return f"is cut off: it has {size:,} bytes, and RECORD says {row.size:,}"


def _is_overwritten(row: _Row) -> bool:
    """Return whether a library is not ELF and has another hash than in RECORD.

    After a crash, a file may have its size and no content. A linker script has the name of a library, too.
    """
    algorithm, _, digest = row.digest.partition("=")
    if algorithm != "sha256":
        return False
    try:
        with open_bytes(Path(row.path)) as file:
            if file.read(len(elf.MAGIC)) == elf.MAGIC:
                return False
            file.seek(0)
            found = hashlib.file_digest(file, "sha256").digest()
    except (OSError, NixpyError):
        return False
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode() != digest


# --- files without a RECORD ---


def without_record(venv: Path, packages: Packages) -> dict[NormalizedName, InstalledWheel]:
    """Return the libraries in site-packages that no RECORD lists, as wheels.

    nixpy looks only into folders of which no RECORD lists a file. Their package is the one without a RECORD that has
    their name or lists it in top_level.txt, and else the name of the folder.
    """
    venv = Path(os.path.normpath(venv.absolute()))
    files: dict[tuple[Path, str], list[str]] = {}
    for site, recorded in packages.recorded.items():
        lacking = {
            folder: package.name
            for package in packages.installed
            for folder in package.folders
            if folder.parent == site and not exists(folder / "RECORD")
        }
        for top in sorted(_names(site) - recorded):
            if found := list(_libraries(site, top)):
                files.setdefault((site, _owner(top, lacking)), []).extend(found)
    return {
        canonicalize_name(name): InstalledWheel(
            name=canonicalize_name(name),
            version=Version("0"),
            tags=frozenset(),
            build="",
            venv=venv,
            site=site,
            record=tuple(record),
            direct=None,
        )
        for (site, name), record in files.items()
    }


def _names(site: Path) -> set[str]:
    try:
        names = os.listdir(site)  # noqa: PTH208 - as text
    except OSError:
        return set()
    # pip renames what it removes, so that it begins with a tilde.
    return {one for one in names if not one.endswith((".dist-info", ".egg-info", ".py")) and not one.startswith("~")}


def _libraries(site: Path, top: str) -> Iterator[str]:
    path = site / top
    if is_library(top):
        yield top
    elif path.is_dir() and not path.is_symlink():
        for folder, _, names in walk(path):
            for name in names:
                if is_library(name):
                    yield os.path.relpath(f"{folder}/{name}", site)


def _owner(top: str, lacking: Mapping[Path, str]) -> str:
    name = canonicalize_name(top.partition(".")[0])
    for folder, package in lacking.items():
        if name == package or top in _lines(folder / "top_level.txt"):
            return package
    return next(iter(lacking.values())) if len(lacking) == 1 else name
